"""Texts of every kind of model: streamed as at once, together as alone, and as transformers writes them."""

from __future__ import annotations

import pytest
import torch

from textpipe.errors import ConfigError, InputError
from textpipe.generation import BeamConfig, SamplingConfig, TextWriter
from textpipe.interchange.exporting import export_model
from textpipe.nn.architectures import new_model
from textpipe.nn.shapes import GptConfig, Seq2SeqConfig, TransformerConfig

PAIR = {"vocab_size": 400, "context": 32, "width": 32, "heads": 4, "encoder_layers": 1, "decoder_layers": 1}
SHAPES = {
    "gpt": GptConfig(vocab_size=400, context=64, layers=2, heads=2, width=32),
    "transformer": TransformerConfig(**PAIR),
    "seq2seq": Seq2SeqConfig(vocab_size=400, embedding=16, width=32, encoder_width=16, context=32),
}
TEXTS = ["바다는 조용하고 배는", "ㅎㅎ", "The ferry is late", "고양이", "She planted beans along", "역"]
GREEDY = SamplingConfig(temperature=0.0, max_tokens=12)


def spread(model):
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() == 2:
                weight.normal_(0.0, 0.05 if "embedding" in name else 0.4, generator=generator)
    return model.eval()


@pytest.fixture(scope="module", params=SHAPES)
def writer(request, small_tokenizer):
    return TextWriter(spread(new_model(SHAPES[request.param])), small_tokenizer, eos_id=0)


def test_texts_of_mixed_length_together_are_those_alone(writer):
    together = writer.generate(TEXTS, GREEDY, batch_size=4)
    assert together == [writer.generate([text], GREEDY)[0] for text in TEXTS]
    assert len(set(together)) > 1


def test_a_text_draws_by_its_place_whatever_the_batches_are(writer):
    config = SamplingConfig(max_tokens=8, seed=5)
    assert writer.generate(TEXTS, config, batch_size=6) == writer.generate(TEXTS, config, batch_size=2)


@pytest.mark.parametrize("seed", range(3))
def test_streamed_pieces_joined_are_the_text(writer, seed):
    config = SamplingConfig(max_tokens=20, seed=seed)
    assert "".join(writer.stream(TEXTS[0], config)) == writer.generate(TEXTS[:1], config)[0]


@pytest.mark.parametrize("config", [SamplingConfig(max_tokens=24, seed=1), BeamConfig(beams=3, max_tokens=24)])
def test_a_text_ends_before_a_stop_string_drawn_or_searched(writer, config):
    whole = writer.generate(TEXTS[:1], config)[0]
    stop = whole[len(whole) // 2 :][:2]
    assert stop
    assert writer.generate(TEXTS[:1], config.replaced(stop=(stop,)))[0] == whole[: whole.index(stop)]


def test_searched_texts_together_are_those_alone(writer):
    config = BeamConfig(beams=3, max_tokens=8)
    assert writer.generate(TEXTS, config, batch_size=3) == [writer.generate([text], config)[0] for text in TEXTS]


def test_no_run_of_tokens_stands_twice_in_what_beams_find(writer):
    free = BeamConfig(beams=3, max_tokens=14, repetition_penalty=1.5, no_repeat_ngram=1)
    (text,) = writer.generate(["바다"], free)
    ids = writer.tokenizer.encode(text, add_special_tokens=False).ids
    ((written, best),) = writer._searched(writer.check(["바다"]), free)
    assert written == text
    assert len(best.ids) == len(set(best.ids))
    assert ids  # something was written


def test_what_cannot_be_read_is_refused_naming_which(writer):
    kind = "prompt" if isinstance(writer.model.config, GptConfig) else "source"
    with pytest.raises(InputError, match=f"{kind} 1 has .*the model's context"):
        writer.generate(["바다", "바다 " * 90], GREEDY)
    with pytest.raises(InputError, match=f"no {kind} given"):
        writer.generate([], GREEDY)


def test_an_encoder_and_decoder_writes_no_more_than_it_has_positions_for(small_tokenizer):
    writer = TextWriter(spread(new_model(SHAPES["transformer"])), small_tokenizer, eos_id=0)
    for config in (SamplingConfig(max_tokens=500, temperature=0.0), BeamConfig(beams=2, max_tokens=500)):
        assert isinstance(writer.generate(["바다"], config)[0], str)


def test_an_empty_stop_string_is_refused():
    for kind in (SamplingConfig, BeamConfig):
        with pytest.raises(ConfigError, match="an empty string stands everywhere"):
            kind(stop=("",))


@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize("name", ["gpt", "transformer"])
def test_penalties_change_texts_as_in_transformers(name, beams, small_tokenizer, tmp_path):
    transformers = pytest.importorskip("transformers")
    from textpipe.generation.beam import beam_search
    from textpipe.generation.decoding import sample_ids

    def write(rows, **penalties):
        """The likeliest ids: with one beam those transformers calls greedy, whose penalties are of logits."""
        writing, before = writer._begun(rows)
        if beams > 1:
            config = BeamConfig(beams=beams, max_tokens=14, **penalties)
            return beam_search(writing, config, ends=[0], before=before)[0][0].ids
        config = SamplingConfig(temperature=0.0, max_tokens=14, **penalties)
        return [step[0] for step in sample_ids(writing, before, config, ends=[0])]

    model = spread(new_model(SHAPES[name]))
    writer = TextWriter(model, small_tokenizer, eos_id=0)
    export_model(model, small_tokenizer, tmp_path / "model", eos_id=0)
    kind = transformers.AutoModelForCausalLM if name == "gpt" else transformers.AutoModelForSeq2SeqLM
    theirs = kind.from_pretrained(tmp_path / "model").eval()
    for text in TEXTS[:3]:
        (ids,) = rows = writer.check([text])
        found = write(rows, repetition_penalty=1.4, no_repeat_ngram=2)
        first = len(ids) if name == "gpt" else 1
        written = theirs.generate(
            torch.tensor([ids]),
            do_sample=False,
            num_beams=beams,
            max_new_tokens=14,
            repetition_penalty=1.4,
            no_repeat_ngram_size=2,
        )[0].tolist()[first:]
        assert [token for token in written if token != 0] == found
        assert write(rows) != found
