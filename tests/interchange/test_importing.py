"""Folders that transformers wrote: their models are computed here, or refused with the part that is not."""

from __future__ import annotations

import json
import pickle

import pytest
import torch
from family_models import SHAPES, random_model

from textpipe.data.framing import ids_after, ids_before
from textpipe.errors import FormatError, InputError
from textpipe.files import write_bytes, write_json
from textpipe.generation.beam import BeamConfig, beam_search
from textpipe.generation.decoding import TextWriter, sample_ids
from textpipe.generation.sampling import SamplingConfig
from textpipe.generation.writing import PromptWriting
from textpipe.interchange.exporting import export_model
from textpipe.interchange.importing import ModelFolder
from textpipe.nn.shapes import BertConfig, GptConfig
from textpipe.training.exporting import export_run
from textpipe.training.loading import load_model
from textpipe.training.loop import Trainer
from textpipe.training.run_config import TrainConfig
from textpipe.training.starting import Start

transformers = pytest.importorskip("transformers")
NARROW = {"vocab_size": 400, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
PAIR = {"encoder_layers": 1, "decoder_layers": 2, "encoder_attention_heads": 2, "decoder_attention_heads": 2}
PAIR |= {"vocab_size": 400, "d_model": 32, "encoder_ffn_dim": 40, "decoder_ffn_dim": 40, "max_position_embeddings": 48}
PAIR |= {"activation_function": "relu", "scale_embedding": True}


def their_models():
    """name → a model as a user of transformers would make it."""
    gpt = {"vocab_size": 400, "n_positions": 48, "n_embd": 32, "n_layer": 2, "n_head": 4}
    bert = transformers.BertConfig(**NARROW, intermediate_size=48, max_position_embeddings=48)
    llama = transformers.LlamaConfig(
        **NARROW,
        intermediate_size=48,
        num_key_value_heads=2,
        rope_parameters={"rope_theta": 5e5, "rope_type": "default"},
    )
    return {
        "openai-gpt": transformers.OpenAIGPTLMHeadModel(transformers.OpenAIGPTConfig(**gpt)),
        "gpt2": transformers.GPT2LMHeadModel(transformers.GPT2Config(**gpt, n_inner=48)),
        "llama": transformers.LlamaForCausalLM(llama),
        "bert": transformers.BertForMaskedLM(bert),
        "bert-pretraining": transformers.BertForPreTraining(bert),
        "marian": transformers.MarianMTModel(
            transformers.MarianConfig(**PAIR, decoder_vocab_size=400, pad_token_id=1, decoder_start_token_id=0)
        ),
        "pegasus": transformers.PegasusForConditionalGeneration(
            transformers.PegasusConfig(**PAIR, decoder_start_token_id=0)
        ),
        "m2m100": transformers.M2M100ForConditionalGeneration(
            transformers.M2M100Config(**PAIR, pad_token_id=1, encoder_layerdrop=0.0, decoder_layerdrop=0.0)
        ),
    }


@pytest.fixture(scope="module")
def folders(tmp_path_factory, small_tokenizer_json, word_tokenizer):
    """Every family saved by transformers with a tokenizer beside it: name → (their model, folder)."""
    here, made = tmp_path_factory.mktemp("theirs"), {}
    torch.manual_seed(3)
    for name, model in their_models().items():
        for weight in (weight for weight in model.parameters() if weight.requires_grad):  # positions are not learned
            torch.nn.init.normal_(weight, 0.02, 0.1)
        model.eval().save_pretrained(here / name)
        text = word_tokenizer.to_str() if "bert" in name else small_tokenizer_json
        write_bytes(here / name / "tokenizer.json", text.encode())
        made[name] = model, here / name
    return made


@pytest.mark.parametrize(
    "name", ["openai-gpt", "gpt2", "llama", "bert", "bert-pretraining", "marian", "pegasus", "m2m100"]
)
def test_a_model_of_transformers_gives_its_logits_here(name, folders):
    theirs, folder = folders[name]
    found = ModelFolder.open(folder)
    ours = found.model()
    ids = torch.randint(2, 400, (2, 15), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        if isinstance(found.shape, GptConfig):
            logits, expected = ours.logits(ours(ids)), theirs(input_ids=ids).logits
        elif isinstance(found.shape, BertConfig):
            given = theirs(input_ids=ids)
            logits, expected = ours.logits(ours(ids)), given[0] if name == "bert" else given.prediction_logits
            assert found.shape.next_sentence == (name != "bert")
        else:
            logits = ours.logits(ours(ids, torch.tensor([15, 15]), ids[:, :7]))
            expected = theirs(input_ids=ids, decoder_input_ids=ids[:, :7]).logits
            assert found.begin_id == theirs.generation_config.decoder_start_token_id
    torch.testing.assert_close(logits, expected, rtol=0, atol=2e-6 * max(1.0, expected.abs().max().item()))


def copied(folder, to, **changes):
    """A copy of a folder with keys of its config.json changed (None removes one)."""
    to.mkdir()
    for path in folder.iterdir():
        write_bytes(to / path.name, path.read_bytes())
    config = json.loads((to / "config.json").read_bytes()) | changes
    write_json(to / "config.json", {key: value for key, value in config.items() if value is not ...})
    return to


def rewritten(folder, change):
    from safetensors.torch import load_file, save

    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    write_bytes(folder / "model.safetensors", save(tensors, metadata={"format": "pt"}))
    return folder


def test_names_and_tables_of_older_files_are_known(folders, tmp_path):
    theirs, folder = folders["gpt2"]

    def older(tensors):
        for name in list(tensors):
            tensors[name.removeprefix("transformer.")] = tensors.pop(name)
        tensors["h.0.attn.bias"] = torch.ones(1, 1, 48, 48, dtype=torch.uint8)
        tensors["h.0.attn.masked_bias"] = torch.tensor(-1e4)
        tensors["lm_head.weight"] = tensors["wte.weight"].clone()

    found = ModelFolder.open(rewritten(copied(folder, tmp_path / "gpt2"), older)).weights()
    assert torch.equal(found["token_embedding.weight"], theirs.transformer.wte.weight)

    def gamma(tensors):
        for name in list(tensors):
            new = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
            tensors[new] = tensors.pop(name)
        tensors["bert.embeddings.position_ids"] = torch.arange(48)[None]
        tensors["bert.pooler.dense.weight"] = torch.ones(32, 32)
        tensors["cls.predictions.decoder.bias"] = tensors["cls.predictions.bias"].clone()

    theirs, folder = folders["bert"]
    found = ModelFolder.open(rewritten(copied(folder, tmp_path / "bert"), gamma)).weights()
    assert torch.equal(found["embedding_norm.weight"], theirs.bert.embeddings.LayerNorm.weight)

    llama = copied(folders["llama"][1], tmp_path / "llama", rope_parameters=..., rope_theta=123.0, rope_scaling=None)
    assert ModelFolder.open(llama).shape.rope_base == 123.0


def that_ends(folder, to, **generation):
    """A copy whose generation_config.json has these keys."""
    copied(folder, to)
    found = json.loads((to / "generation_config.json").read_bytes())
    write_json(to / "generation_config.json", found | generation)
    return to


PROMPTS = ("바다", "the ferry", "a", "한글은", "She planted beans")


@pytest.mark.parametrize("beams", [1, 3])
def test_a_text_ends_at_any_id_of_the_list_in_the_folder_as_in_transformers(beams, folders, tmp_path):
    theirs, source = folders["llama"]
    ends = [399, *range(10, 390, 16)]  # enough of them that one is soon written
    folder = that_ends(source, tmp_path / "ends", eos_token_id=ends)
    model, tokenizer, facts = load_model(folder)
    writer = TextWriter(model, tokenizer, **facts["borders"])
    config = SamplingConfig(temperature=0.0, max_tokens=12) if beams == 1 else BeamConfig(beams=beams, max_tokens=12)
    endings = set()
    for text in PROMPTS:
        ids = tokenizer.encode(text).ids
        options = {"do_sample": False, "num_beams": beams, "max_new_tokens": 12, "pad_token_id": 0}
        (row,) = theirs.generate(torch.tensor([ids]), eos_token_id=ends, **options)[:, len(ids) :].tolist()
        place = next((place for place, token in enumerate(row) if token in ends), None)
        endings.add(place)
        expected = row[:place]
        if beams == 1:
            begun = PromptWriting(model, [ids])
            steps = sample_ids(begun, [ids], config, ends=facts["borders"]["ends"])
            assert [step[0] for step in steps] == expected
        else:
            (found,) = beam_search(PromptWriting(model, [ids]), config, ends=facts["borders"]["ends"])
            assert found[0].ids == expected
    assert facts["eos_id"] == 399
    assert endings != {None}
    assert isinstance(writer.generate(list(PROMPTS), config)[0], str)


def test_what_ends_texts_goes_through_a_run_and_its_export(folders, small_packed, tmp_path):
    folder = that_ends(folders["llama"][1], tmp_path / "llama", eos_token_id=[0, 10, 11], forced_eos_token_id=10)
    start = Start.open(folder)
    config = TrainConfig(steps=1, warmup_steps=0, batch_size=2, sample_tokens=0, device="cpu")
    Trainer(start.shape, small_packed, config, out=tmp_path / "run", start=start).run()
    again = Start.open(tmp_path / "run")  # a run that begins with a run
    Trainer(again.shape, small_packed, config, out=tmp_path / "second", start=again).run()
    for run in ("run", "second"):
        borders = load_model(tmp_path / run)[2]["borders"]
        assert (set(borders["ends"]), borders["at_limit"]) == ({0, 10, 11}, (10,))
        export_run(tmp_path / run, tmp_path / f"{run}-export")
        written = json.loads((tmp_path / f"{run}-export" / "generation_config.json").read_bytes())
        assert (written["eos_token_id"], written["forced_eos_token_id"]) == ([0, 10, 11], 10)
        found = ModelFolder.open(tmp_path / f"{run}-export")
        assert (found.ends, found.at_limit) == ((0, 10, 11), (10,))
        assert type(folders["llama"][0]).from_pretrained(found.path).generation_config.eos_token_id == [0, 10, 11]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("forced_eos_token_id", [10, 400], r"forced_eos_token_id is 400, no token of this model \(allowed: 0 … 399\)"),
        ("eos_token_id", 400, r"eos_token_id is 400, no token of this model"),
        ("eos_token_id", [10, -1], r"eos_token_id\[1\]: is -1 \(allowed: 0 or more\)"),
        ("eos_token_id", [10, "x"], r"eos_token_id\[1\]"),
        ("eos_token_id", 1.5, "eos_token_id"),
    ],
)
def test_an_id_that_is_no_token_is_refused_by_its_key(key, value, message, folders, tmp_path):
    folder = that_ends(folders["llama"][1], tmp_path / "llama", **{key: value})
    with pytest.raises(InputError, match=message):  # a FormatError is one
        load_model(folder)


def test_rows_of_the_embedding_beyond_the_tokenizer_are_left_out(folders, tmp_path):
    theirs, folder = folders["llama"]

    def padded(tensors):
        for name in ("model.embed_tokens.weight", "lm_head.weight"):
            tensors[name] = torch.cat([tensors[name], torch.zeros(48, 32)])

    found = ModelFolder.open(rewritten(copied(folder, tmp_path / "x", vocab_size=448), padded))
    assert found.shape.vocab_size == 400
    assert torch.equal(found.weights()["head.weight"], theirs.lm_head.weight)
    assert found.model().logits(torch.zeros(1, 32)).shape == (1, 400)


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("gpt2", {"activation_function": "relu"}, "activation_function: is 'relu', which is not computed here"),
        ("gpt2", {"scale_attn_by_inverse_layer_idx": True}, "scale_attn_by_inverse_layer_idx: is True"),
        ("gpt2", {"n_embd": "32"}, 'n_embd: is "32"'),
        ("gpt2", {"n_layer": ...}, "n_layer: is missing"),
        ("gpt2", {"n_head": 5}, "width 32 is not a multiple of heads 5"),
        ("gpt2", {"vocab_size": 12}, "the tokenizer has 400 entries and the model 12"),
        ("gpt2", {"model_type": "mamba"}, 'is "mamba", a family that is not known here'),
        ("gpt2", {"model_type": ...}, "model_type: is missing"),
        ("llama", {"rope_parameters": {"rope_type": "yarn", "rope_theta": 1e4}}, "rope_type: is 'yarn'"),
        (
            "llama",
            {"rope_parameters": {"rope_type": "llama3", "rope_theta": 1e4}},
            "factor: is missing",
        ),
        ("llama", {"rope_scaling": {"type": "linear", "factor": 2.0}}, "rope_scaling.type: is 'linear'"),
        ("llama", {"rope_scaling": {"factor": 2.0}}, "rope_scaling.factor: is not a known field"),
        ("llama", {"head_dim": 16}, "head_dim: is 16"),
        ("llama", {"mlp_bias": True}, "mlp_bias: is True and differs from attention_bias"),
        ("bert", {"hidden_act": "relu"}, "hidden_act: is 'relu'"),
        ("bert", {"position_embedding_type": "relative_key"}, "position_embedding_type"),
        ("marian", {"activation_function": "gelu_new"}, "activation_function: is 'gelu_new'"),
        ("marian", {"decoder_ffn_dim": 8}, "decoder_ffn_dim: is 8 and differs from encoder_ffn_dim"),
        ("m2m100", {"pad_token_id": 0}, "pad_token_id: is 0"),
        ("m2m100", {"scale_embedding": 1}, "scale_embedding: is 1"),
    ],
)
def test_what_is_not_computed_here_is_refused_by_its_key(name, changes, message, folders, tmp_path):
    folder = copied(folders[name][1], tmp_path / "x", **changes)
    with pytest.raises(FormatError) as caught:
        ModelFolder.open(folder)
    assert message in str(caught.value)


def test_targets_of_m2m100_that_begin_with_padding_are_refused(folders, tmp_path):
    folder = that_ends(folders["m2m100"][1], tmp_path / "x", decoder_start_token_id=1)
    with pytest.raises(FormatError, match="decoder_start_token_id is 1, padding, behind which positions"):
        ModelFolder.open(folder)


@pytest.mark.parametrize(("name", "scales"), [("marian", False), ("pegasus", False), ("m2m100", True)])
def test_a_file_that_does_not_say_if_embeddings_are_scaled_means_what_its_class_does(name, scales, folders, tmp_path):
    folder = copied(folders[name][1], tmp_path / "x", scale_embedding=...)
    found = ModelFolder.open(folder)
    assert found.shape.scaled_embedding == scales
    theirs = type(folders[name][0]).from_pretrained(folder).eval()
    ids = torch.randint(2, 400, (2, 15), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        ours = found.model()
        logits = ours.logits(ours(ids, torch.tensor([15, 15]), ids[:, :7]))
        expected = theirs(input_ids=ids, decoder_input_ids=ids[:, :7]).logits
    torch.testing.assert_close(logits, expected, rtol=0, atol=2e-6 * max(1.0, expected.abs().max().item()))


def broken(tensors, name, tensor):
    tensors[name] = tensor


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("transformer.wpe.weight"), "the weights have no transformer.wpe.weight"),
        (lambda t: broken(t, "transformer.ln_f.bias", torch.zeros(7)), r"transformer.ln_f.bias has the shape \[7\]"),
        (lambda t: broken(t, "adapter.weight", torch.zeros(7)), "no place in this model: adapter.weight"),
        (lambda t: broken(t, "lm_head.weight", torch.zeros(400, 32)), "no place in this model: lm_head.weight"),
        (lambda t: broken(t, "transformer.ln_f.bias", torch.zeros(32).char()), "is int8"),
    ],
)
def test_weights_that_do_not_fit_are_refused_by_name(change, message, folders, tmp_path):
    folder = rewritten(copied(folders["gpt2"][1], tmp_path / "x"), change)
    with pytest.raises(FormatError, match=message):
        ModelFolder.open(folder).weights()


@pytest.mark.parametrize("name", ["marian", "pegasus"])
def test_a_bias_of_logits_that_is_not_zero_is_computed_and_one_of_zeros_is_no_part_of_the_model(
    name, folders, tmp_path
):
    theirs, folder = folders[name]
    assert not ModelFolder.open(folder).shape.head_bias
    bias = torch.randn(1, 400, generator=torch.Generator().manual_seed(5))
    biased = rewritten(copied(folder, tmp_path / "x"), lambda tensors: broken(tensors, "final_logits_bias", bias))
    found = ModelFolder.open(biased)
    assert found.shape.head_bias
    ids = torch.randint(2, 400, (2, 15), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        ours = found.model()
        logits = ours.logits(ours(ids, torch.tensor([15, 15]), ids[:, :7]))
        expected = theirs(input_ids=ids, decoder_input_ids=ids[:, :7]).logits + bias
    torch.testing.assert_close(logits, expected, rtol=0, atol=2e-6 * max(1.0, expected.abs().max().item()))


def test_a_bias_of_logits_in_a_family_that_has_none_is_refused(folders, tmp_path):
    folder = copied(folders["gpt2"][1], tmp_path / "x")
    rewritten(folder, lambda tensors: broken(tensors, "final_logits_bias", torch.ones(1, 400)))
    with pytest.raises(FormatError, match="final_logits_bias"):
        ModelFolder.open(folder).weights()


class Trap:
    """Runs code when it is unpickled."""

    def __reduce__(self):
        return (exec, ("raise SystemExit('the pickle was run')",))


def test_a_pickle_is_refused_unread_with_the_cure(folders, tmp_path):
    folder = copied(folders["gpt2"][1], tmp_path / "x")
    (folder / "model.safetensors").unlink()
    write_bytes(folder / "pytorch_model.bin", pickle.dumps(Trap()))
    with pytest.raises(InputError, match=r"pytorch_model\.bin.*save_pretrained writes safetensors"):
        ModelFolder.open(folder)


@pytest.mark.parametrize("cut", [0, 4, 100, -1])
def test_broken_files_of_weights_are_named(cut, folders, tmp_path):
    folder = copied(folders["gpt2"][1], tmp_path / "x")
    data = (folder / "model.safetensors").read_bytes()
    write_bytes(folder / "model.safetensors", data[:cut])
    with pytest.raises(FormatError, match=r"model\.safetensors: not a safetensors file"):
        ModelFolder.open(folder).weights()


@pytest.mark.parametrize("name", ["../model.safetensors", "/etc/passwd", "model.bin", ""])
def test_an_index_cannot_lead_out_of_the_folder(name, folders, tmp_path):
    folder = copied(folders["gpt2"][1], tmp_path / "x")
    (folder / "model.safetensors").unlink()
    write_json(folder / "model.safetensors.index.json", {"weight_map": {"transformer.wte.weight": name}})
    with pytest.raises(FormatError, match="weight_map: names the file"):
        ModelFolder.open(folder)


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"model_type": 3}', b"\xff"])
def test_a_broken_configuration_is_named(data, folders, tmp_path):
    folder = copied(folders["gpt2"][1], tmp_path / "x")
    write_bytes(folder / "config.json", data)
    with pytest.raises(FormatError, match=r"config\.json"):
        ModelFolder.open(folder)


def test_a_folder_that_is_no_model_says_what_is_missing(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        ModelFolder.open(tmp_path / "absent")
    with pytest.raises(InputError, match=r"no config\.json in this folder"):
        ModelFolder.open(tmp_path)


def test_special_tokens_around_a_text_are_told_by_its_template(word_tokenizer, small_tokenizer, tmp_path):
    assert ids_before(small_tokenizer) == ids_after(small_tokenizer) == ()
    export_model(random_model(SHAPES["bert"]), word_tokenizer, tmp_path / "bert", eos_id=5)
    tokenizer = ModelFolder.open(tmp_path / "bert").tokenizer
    assert (ids_before(tokenizer), ids_after(tokenizer)) == ((2,), (3,))
