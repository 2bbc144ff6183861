"""Exports load in transformers offline: the same logits, the same tokens, the same texts."""

from __future__ import annotations

import json
import os

import pytest
import torch
from family_models import SHAPES, random_model

from textpipe.errors import ConfigError, InputError, StateError
from textpipe.generation.decoding import generate_ids
from textpipe.generation.sampling import SamplingConfig
from textpipe.generation.translation import translate_ids
from textpipe.interchange.exporting import export_model
from textpipe.interchange.importing import ModelFolder
from textpipe.nn.shapes import BertConfig, GptConfig
from textpipe.tokenizer import Tokenizer

transformers = pytest.importorskip("transformers")
THEIRS = [name for name in SHAPES if name != "seq2seq"]
KINDS = {
    "g": "AutoModelForCausalLM",
    "l": "AutoModelForCausalLM",
    "b": "AutoModelForMaskedLM",
    "m": "AutoModelForSeq2SeqLM",
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory, small_tokenizer, word_tokenizer, source_tokenizer):
    """Every family exported: name → (our model, folder)."""
    here, made = tmp_path_factory.mktemp("exports"), {}
    for name, shape in SHAPES.items():
        model = random_model(shape)
        bert = isinstance(shape, BertConfig)
        separate = source_tokenizer if getattr(shape, "source_vocab_size", None) else None
        export_model(
            model,
            word_tokenizer if bert else small_tokenizer,
            here / name,
            eos_id=5 if bert else 0,
            source_tokenizer=separate,
        )
        made[name] = model, here / name
    return made


def loaded(name, folder):
    kind = "AutoModelForPreTraining" if "next" in name else KINDS[name[0]]
    made, facts = getattr(transformers, kind).from_pretrained(folder, output_loading_info=True, local_files_only=True)
    assert not facts["missing_keys"]
    assert not facts["unexpected_keys"]
    assert not facts["mismatched_keys"]
    return made.eval()


@pytest.mark.parametrize("name", THEIRS)
def test_logits_in_transformers_are_ours(name, folders):
    ours, folder = folders[name]
    theirs = loaded(name, folder)
    ids = torch.randint(6, 300, (3, 20), generator=torch.Generator().manual_seed(1))
    lengths = torch.tensor([20, 7, 13])
    mask = (torch.arange(20)[None] < lengths[:, None]).long()
    with torch.no_grad():
        if isinstance(ours.config, GptConfig):
            expected, found = theirs(input_ids=ids).logits, ours.logits(ours(ids))
        elif isinstance(ours.config, BertConfig):
            given = theirs(input_ids=ids, attention_mask=mask)
            states = ours(ids, lengths_B=lengths)
            if ours.config.next_sentence:
                follows = ours.next_sentence_logits(states)
                torch.testing.assert_close(follows, given.seq_relationship_logits, rtol=0, atol=1e-6)
            expected = given.prediction_logits if ours.config.next_sentence else given.logits
            found, real = ours.logits(states), mask.bool()
            expected, found = expected[real], found[real]
        else:
            target = ids.flip(0)[:, :11]
            expected = theirs(input_ids=ids, attention_mask=mask, decoder_input_ids=target).logits
            found = ours.logits(ours(ids, lengths, target))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6 * max(1.0, expected.abs().max().item()))


TEXTS = ["바다는 조용하고", "The ferry is late", "고양이 ㅎㅎ"]


@pytest.mark.parametrize("name", [name for name in THEIRS if name[0] in "gl"])
def test_greedy_text_in_transformers_is_ours(name, folders, small_tokenizer):
    ours, folder = folders[name]
    theirs = loaded(name, folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    for text in TEXTS:
        prompt = tokenizer(text, return_tensors="pt")
        ids = [0, *small_tokenizer.encode(text, add_special_tokens=False).ids]
        assert prompt.input_ids[0].tolist() == ids
        written = theirs.generate(**prompt, do_sample=False, max_new_tokens=15)[0].tolist()[len(ids) :]
        settings = SamplingConfig(temperature=0.0, max_tokens=15)
        found = [step[0] for step in generate_ids(ours, [ids], settings, eos_id=0)]
        assert [token for token in written if token != 0] == found


@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize("name", [name for name in THEIRS if name[0] == "m"])
def test_translations_in_transformers_are_ours(name, beams, folders, small_tokenizer, source_tokenizer):
    from textpipe.generation.beam import BeamConfig

    ours, folder = folders[name]
    theirs = loaded(name, folder)
    encoder = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    separate = ours.config.source_vocab_size is not None
    texts = ["s1 s2 s5", "s9", "s7 s7 s7 s100"] if separate else TEXTS
    own, eos = (source_tokenizer, 299) if separate else (small_tokenizer, 0)
    sources = [[*own.encode(text, add_special_tokens=False).ids, eos] for text in texts]
    search = BeamConfig(beams=beams, max_tokens=12)
    expected = translate_ids(ours, sources, search, eos_id=0)
    for text, source, ids in zip(texts, sources, expected, strict=True):
        given = encoder(text, return_tensors="pt")
        assert given.input_ids[0].tolist() == source
        written = theirs.generate(**given, do_sample=False, num_beams=beams, max_new_tokens=12)[0].tolist()
        assert written[0] == 0
        pad = theirs.generation_config.pad_token_id
        assert [token for token in written[1:] if token not in (0, pad)] == ids


def test_the_tokenizer_of_a_bert_puts_its_marks_around_texts(folders, word_tokenizer):
    tokenizer = transformers.AutoTokenizer.from_pretrained(folders["bert"][1], local_files_only=True)
    cls, sep = (word_tokenizer.token_to_id(mark) for mark in ("[CLS]", "[SEP]"))
    inner = word_tokenizer.encode("낱말3 낱말9").ids
    assert tokenizer("낱말3 낱말9").input_ids == [cls, *inner, sep]
    pair = tokenizer("낱말3 낱말9", "낱말9")
    assert pair.token_type_ids == [0, 0, 0, 0, 1, 1]
    assert (tokenizer.mask_token, tokenizer.pad_token) == ("[MASK]", "[PAD]")


def test_the_tokenizer_of_targets_lies_in_a_folder_of_its_own(folders, small_tokenizer):
    tokenizer = transformers.AutoTokenizer.from_pretrained(
        folders["marian-two-vocabularies"][1] / "target-tokenizer", local_files_only=True
    )
    assert tokenizer.decode(small_tokenizer.encode("바다는 ㅎㅎ").ids) == "바다는 ㅎㅎ"


@pytest.mark.parametrize("name", SHAPES)
def test_what_is_exported_comes_back_to_the_bit(name, folders):
    ours, folder = folders[name]
    found = ModelFolder.open(folder)
    weights = found.weights()
    shape = ours.config
    if name == "gpt2-without-bias":  # their GPT-2 always has them
        shape = shape.replaced(bias=None)
        assert all(not tensor.any() for key, tensor in weights.items() if key.endswith("bias"))
    same = {"feed_forward", "kv_heads", "bias"}  # absent, or what absence stands for
    assert found.shape.model_dump(exclude=same) == shape.model_dump(exclude=same)
    assert sum(w.numel() for w in found.model().parameters()) == sum(w.numel() for w in weights.values())
    for key, weight in ours.named_parameters():
        assert torch.equal(weights[key], weight), key
    assert found.eos_id == (5 if name[0] == "b" else 0)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_files_are_of_that_type_and_come_back_rounded(dtype, tmp_path, small_tokenizer):
    ours = random_model(SHAPES["llama"])
    export_model(ours, small_tokenizer, tmp_path / "out", eos_id=0, dtype=dtype)
    theirs = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "out", dtype="auto")
    assert theirs.dtype == getattr(torch, dtype)
    weights = ModelFolder.open(tmp_path / "out").weights()
    for name, weight in ours.named_parameters():
        assert torch.equal(weights[name], weight.to(getattr(torch, dtype)).float())


def test_large_weights_are_written_as_several_files_that_both_read(tmp_path, small_tokenizer):
    ours = random_model(SHAPES["gpt2"])
    export_model(ours, small_tokenizer, tmp_path / "out", eos_id=0, shard_bytes=40_000)
    names = sorted(path.name for path in (tmp_path / "out").glob("*.safetensors"))
    assert len(names) > 2
    assert names[0] == f"model-00001-of-{len(names):05d}.safetensors"
    theirs = loaded("gpt2", tmp_path / "out")
    ids = torch.arange(10)[None]
    with torch.no_grad():
        torch.testing.assert_close(theirs(input_ids=ids).logits, ours.logits(ours(ids)), rtol=0, atol=1e-6)
    weights = ModelFolder.open(tmp_path / "out").weights()
    assert all(torch.equal(weights[name], weight) for name, weight in ours.named_parameters())
    os.unlink(tmp_path / "out" / names[1])
    with pytest.raises(InputError, match=f"{names[1]}: .*names a file that is not there"):
        ModelFolder.open(tmp_path / "out")


def test_an_export_is_whole_and_never_over_another(tmp_path, small_tokenizer, folders):
    from textpipe.files import read_manifest

    _, folder = folders["gpt2"]
    names = {entry["path"] for entry in read_manifest(folder, kind="export", verify=True)["files"]}
    assert {"config.json", "generation_config.json", "model.safetensors", "tokenizer.json"} <= names
    with pytest.raises(StateError, match="exists already"):
        export_model(random_model(SHAPES["gpt2"]), small_tokenizer, folder, eos_id=0)


def test_what_transformers_has_no_model_for_is_refused_with_the_cure(tmp_path, word_tokenizer, small_tokenizer):
    pre, odd = SHAPES["m2m100"], SHAPES["gpt1"].replaced(feed_forward=48)
    ordinary = json.loads(small_tokenizer.to_str())
    ordinary["added_tokens"] = ordinary["added_tokens"][:1]
    without_padding = Tokenizer.from_str(json.dumps(ordinary))
    with pytest.raises(InputError, match=r"id 1 is '<\|other\|>'.*positions vaswani"):
        export_model(random_model(pre), without_padding, tmp_path / "a", eos_id=0)
    with pytest.raises(InputError, match="layout pre and two vocabularies"):
        export_model(random_model(pre.replaced(source_vocab_size=50)), small_tokenizer, tmp_path / "b", eos_id=0)
    with pytest.raises(InputError, match="feed_forward of 48"):
        export_model(random_model(odd), small_tokenizer, tmp_path / "c", eos_id=0)
    with pytest.raises(ConfigError, match="no type 'int8'"):
        export_model(random_model(SHAPES["gpt2"]), small_tokenizer, tmp_path / "d", eos_id=0, dtype="int8")
    with pytest.raises(InputError, match=r"eos_id: no token has the id 400 \(allowed: 0 … 399\)"):
        export_model(random_model(SHAPES["gpt2"]), small_tokenizer, tmp_path / "e", eos_id=400)
    assert not list(tmp_path.iterdir())
