"""Translations come in the order of their sources, with alignments that are the model's attention."""

from __future__ import annotations

import re

import pytest
import torch
from torch.nn import functional

from textpipe.errors import ConfigError, InputError
from textpipe.generation.attended import alignment, attended
from textpipe.generation.beam import BeamConfig
from textpipe.generation.decoding import TextWriter
from textpipe.generation.translating import Translator
from textpipe.nn.architectures import new_model
from textpipe.nn.shapes import GptConfig, Seq2SeqConfig, TransformerConfig

SIZES = {"vocab_size": 400, "context": 40}
SHAPES = {
    "transformer": TransformerConfig(**SIZES, width=32, heads=4, encoder_layers=2, decoder_layers=3),
    "one layer, pre": TransformerConfig(**SIZES, width=32, heads=2, encoder_layers=1, decoder_layers=1, layout="pre"),
    "seq2seq": Seq2SeqConfig(**SIZES, embedding=16, width=32, encoder_width=16),
    "bahdanau": Seq2SeqConfig(**SIZES, embedding=16, width=32, encoder_width=16, attention="bahdanau"),
}
SOURCES = ["바다는 조용하고", "The ferry is late again", "고양이", "배는 천천히 항구로 들어온다"]


@pytest.fixture(params=SHAPES)
def translator(request, small_tokenizer):
    model = new_model(SHAPES[request.param], seed=3).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "embedding" in name:
                weight.mul_(2.0)
    return Translator(model, small_tokenizer, eos_id=0)


def test_translations_are_those_of_a_beam_search_in_the_order_of_the_sources(translator):
    config = BeamConfig(beams=3, max_tokens=12)
    found = translator.translate(SOURCES, config, batch_size=2)
    assert [each.source for each in found] == SOURCES
    assert [each.text for each in found] == translator.writer.generate(SOURCES, config)
    for each in found:
        (alone,) = translator.translate([each.source], config)
        assert (alone.text, alone.score) == (each.text, pytest.approx(each.score, abs=1e-4))


def test_every_token_written_has_the_whole_of_the_source_shared_out(translator, small_tokenizer):
    (found,) = translator.translate([SOURCES[1]], BeamConfig(beams=2, max_tokens=9), aligned=True)
    shown = found.alignment
    pieces = small_tokenizer.encode(SOURCES[1]).tokens
    assert shown.source_tokens == [*(piece.replace("Ġ", "␣") for piece in pieces), "<|endoftext|>"]
    assert shown.target_tokens[-1] == "<|endoftext|>"
    assert len(shown.shares) == len(shown.target_tokens)
    for row in shown.shares:
        assert len(row) == len(shown.source_tokens)
        assert sum(row) == pytest.approx(1, abs=1e-5)
    assert shown.pairs == [(row[:-1].index(max(row[:-1])), step) for step, row in enumerate(shown.shares[:-1])]


def test_tokens_of_an_alignment_read_as_the_text_does_and_parts_of_characters_as_hexadecimal(translator):
    (found,) = translator.translate([SOURCES[0]], BeamConfig(beams=1, max_tokens=3), aligned=True)
    *names, _ = found.alignment.source_tokens
    parts = [part for name in names for part in re.split("‹([0-9a-f ]+)›", name)[1::2]]
    assert parts, "the vocabulary is too large for this test: no character is in parts"
    data = b"".join(
        bytes.fromhex(part) if place % 2 else part.encode()
        for name in names
        for place, part in enumerate(re.split("‹([0-9a-f ]+)›", name))
    )
    assert data.decode() == SOURCES[0].replace(" ", "␣")


def test_a_target_that_fills_the_context_is_aligned(translator):
    translator.writer.eos_id = 399  # hardly ever the likeliest
    with torch.no_grad():
        translator.model.head_weight[399] = -10 * translator.model.head_weight.abs().max()
    (found,) = translator.translate([SOURCES[0]], BeamConfig(beams=1, max_tokens=40), aligned=True)
    shown = found.alignment
    assert len(shown.shares) == len(shown.target_tokens) <= 40


def test_the_shares_of_a_transformer_are_what_its_attention_multiplies_values_with():
    model = new_model(SHAPES["transformer"], seed=1).eval()
    source, written = [5, 9, 30, 7, 0], [0, 12, 44]
    given, outputs = [], []
    block = model.decoder[1].source_attention
    handles = [block.query.register_forward_hook(lambda _m, i, _o: given.append(i[0])),
               block.output.register_forward_hook(lambda _m, i, _o: outputs.append(i[0]))]  # fmt: skip
    shares_TS = attended(model, source, written)
    for handle in handles:
        handle.remove()
    memory = model.encode(torch.tensor([source]), torch.tensor([5]))
    queries = block.query(given[0])[0].view(3, 4, 8).transpose(0, 1)
    keys, values = (part[0] for part in memory.keys_values[1])
    by_head = torch.stack([functional.softmax(q @ k.T / 8**0.5, dim=-1) for q, k in zip(queries, keys, strict=True)])
    torch.testing.assert_close(shares_TS, by_head.mean(dim=0))
    torch.testing.assert_close((by_head @ values).transpose(0, 1).flatten(1), outputs[0][0], rtol=1e-4, atol=1e-5)


def test_what_has_no_attention_or_no_source_is_refused(small_tokenizer):
    bare = new_model(Seq2SeqConfig(**SIZES, embedding=16, width=32, encoder_width=16, attention="none")).eval()
    with pytest.raises(ConfigError, match="no attention"):
        Translator(bare, small_tokenizer, eos_id=0).translate(["가"], BeamConfig(max_tokens=3), aligned=True)
    with pytest.raises(ConfigError, match="writes no targets"):
        Translator(new_model(GptConfig(vocab_size=400)), small_tokenizer, eos_id=0)


def test_a_source_longer_than_the_context_is_refused_or_cut(translator):
    long, config = "가나다라마바사" * 20, BeamConfig(beams=2, max_tokens=6)
    with pytest.raises(InputError, match="allowed: 40"):
        translator.translate([long])
    found, short = translator.translate([long, SOURCES[0]], config, aligned=True, cut=True)
    (whole,) = translator.writer.rows([long])
    assert (found.num_cut, short.num_cut) == (len(whole) - 40, 0)
    assert found.as_json()["num_cut"] == found.num_cut
    assert len(found.alignment.source_tokens) == 40
    assert translator.writer.check([long], cut=True) == [[*whole[:39], whole[-1]]]
    assert short.text == translator.translate([SOURCES[0]], config)[0].text


def test_an_empty_target_is_aligned_with_nothing():
    assert alignment(torch.ones(1, 4) / 4) == []


def test_a_search_tells_ids_and_score_of_the_text_it_found(translator, small_tokenizer):
    config = BeamConfig(beams=2, max_tokens=8)
    writer: TextWriter = translator.writer
    for text, best in writer.search(SOURCES, config):
        assert small_tokenizer.decode(best.ids) == text
        assert best.score < 0
