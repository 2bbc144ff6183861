"""Beam search finds what transformers' finds, for a decoder and for encoder-decoders; and what trying all would."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from textpipe.generation.beam import BeamConfig, beam_search
from textpipe.generation.decoding import sample_ids
from textpipe.generation.sampling import SamplingConfig
from textpipe.generation.writing import PromptWriting, SourceWriting
from textpipe.interchange.names import to_theirs
from textpipe.nn.gpt import GPT, GptConfig
from textpipe.nn.seq2seq import Seq2Seq, Seq2SeqConfig
from textpipe.nn.transformer import Transformer, TransformerConfig

EOS = 2
GREEDY = SamplingConfig(temperature=0.0, max_tokens=15)


def spread(model, scale=0.25):
    """Weights that make a model prefer some tokens clearly, eos among them."""
    generator = torch.Generator().manual_seed(11)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.normal_(1.0 if "norm.weight" in name else 0.0, scale, generator=generator)
    return model.eval()


@pytest.fixture(scope="module")
def gpt():
    return spread(GPT(GptConfig(vocab_size=60, context=40, layers=2, heads=2, width=16)))


def as_gpt2(gpt):
    transformers = pytest.importorskip("transformers")
    shape = gpt.config
    sizes = {"n_positions": shape.context, "n_embd": shape.width, "n_layer": shape.layers, "n_head": shape.heads}
    config = transformers.GPT2Config(vocab_size=shape.vocab_size, **sizes, bos_token_id=1, eos_token_id=EOS)
    theirs = transformers.GPT2LMHeadModel(config).eval()
    theirs.load_state_dict(to_theirs(shape, gpt.state_dict()), strict=False)
    return theirs


@pytest.fixture(scope="module")
def transformer():
    return spread(Transformer(TransformerConfig(vocab_size=60, context=40, width=16, heads=2)))


@pytest.fixture(scope="module")
def sources():
    return torch.randint(3, 60, (4, 9), generator=torch.Generator().manual_seed(3)), torch.tensor([9, 4, 7, 1])


@pytest.mark.parametrize("beams", [1, 2, 4])
@pytest.mark.parametrize("ends", [[EOS, 7], [31, EOS, 44, 3]])
def test_any_of_several_ids_ends_a_text_as_in_transformers(gpt, beams, ends):
    theirs = as_gpt2(gpt)
    for prompt in ([5], [17, 3, 44], [9, 9, 9, 9], [50, 1]):
        options = {"num_beams": beams, "num_return_sequences": beams, "max_new_tokens": 15, "do_sample": False}
        options |= {"pad_token_id": 0, "eos_token_id": ends, "output_scores": True, "return_dict_in_generate": True}
        expected = theirs.generate(torch.tensor([prompt]), **options)
        settings = BeamConfig(beams=beams, max_tokens=15)
        (found,) = beam_search(PromptWriting(gpt, [prompt]), settings, ends=ends)
        assert [row.ids for row in found] == [cut(ids[len(prompt) :], ends) for ids in expected.sequences.tolist()]
        if beams > 1:
            assert [row.score for row in found] == pytest.approx(expected.sequences_scores.tolist(), abs=1e-4)
        else:
            steps = sample_ids(PromptWriting(gpt, [prompt]), [prompt], GREEDY, ends=ends)
            assert [step[0] for step in steps] == found[0].ids


@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize("at_limit", [[EOS], [EOS, 7]])
def test_what_ends_a_text_at_its_limit_is_forced_as_in_transformers(gpt, beams, at_limit):
    theirs = as_gpt2(gpt)
    for prompt in ([5], [17, 3, 44]):
        options = {"num_beams": beams, "max_new_tokens": 6, "do_sample": False, "pad_token_id": 0}
        options |= {"eos_token_id": at_limit, "forced_eos_token_id": at_limit}
        (expected,) = theirs.generate(torch.tensor([prompt]), **options).tolist()
        settings = BeamConfig(beams=beams, max_tokens=6)
        (found,) = beam_search(PromptWriting(gpt, [prompt]), settings, ends=at_limit, at_limit=at_limit)
        assert found[0].ids == cut(expected[len(prompt) :], at_limit)
        if beams == 1:
            config = GREEDY.replaced(max_tokens=6)
            steps = sample_ids(PromptWriting(gpt, [prompt]), [prompt], config, ends=at_limit, at_limit=at_limit)
            assert [step[0] for step in steps] == found[0].ids


SEARCHES = [(1, 1.0), (2, 1.0), (4, 1.0), (4, 0.0), (5, 2.0), (3, 0.6), (4, -1.0)]


@pytest.mark.parametrize(("beams", "alpha"), SEARCHES)
def test_ids_and_scores_of_a_decoder_equal_transformers(gpt, beams, alpha):
    theirs = as_gpt2(gpt)
    for prompt in ([5], [17, 3, 44], [9, 9, 9, 9]):
        expected = theirs.generate(
            torch.tensor([prompt]),
            num_beams=beams,
            num_return_sequences=beams,
            length_penalty=alpha,
            max_new_tokens=15,
            do_sample=False,
            pad_token_id=0,
            eos_token_id=EOS,
            output_scores=True,
            return_dict_in_generate=True,
        )
        settings = BeamConfig(beams=beams, max_tokens=15, alpha=alpha)
        (found,) = beam_search(PromptWriting(gpt, [prompt]), settings, ends=[EOS])
        assert [row.ids for row in found] == [cut(ids[len(prompt) :]) for ids in expected.sequences.tolist()]
        if beams > 1:
            assert [row.score for row in found] == pytest.approx(expected.sequences_scores.tolist(), abs=1e-4)


def cut(ids, ends=(EOS,)):
    return ids[: next((place for place, token in enumerate(ids) if token in ends), len(ids))]


@pytest.mark.parametrize(("beams", "alpha"), SEARCHES)
def test_ids_of_a_batch_of_sources_equal_transformers(transformer, sources, beams, alpha):
    transformers = pytest.importorskip("transformers")
    shape = transformer.config
    config = transformers.MarianConfig(
        vocab_size=shape.vocab_size,
        max_position_embeddings=shape.context,
        d_model=shape.width,
        encoder_layers=shape.encoder_layers,
        decoder_layers=shape.decoder_layers,
        encoder_attention_heads=shape.heads,
        decoder_attention_heads=shape.heads,
        encoder_ffn_dim=shape.inner_width,
        decoder_ffn_dim=shape.inner_width,
        activation_function="relu",
        scale_embedding=True,
        pad_token_id=0,
        decoder_start_token_id=1,
        eos_token_id=EOS,
        forced_eos_token_id=None,
    )
    theirs = transformers.MarianMTModel(config).eval()
    theirs.load_state_dict(to_theirs(shape, transformer.state_dict()), strict=False)
    theirs.tie_weights()
    ids, lengths = sources
    expected = theirs.generate(
        ids,
        attention_mask=(torch.arange(9)[None] < lengths[:, None]).long(),
        num_beams=beams,
        length_penalty=alpha,
        max_new_tokens=12,
        do_sample=False,
        bad_words_ids=None,
    )
    writing = SourceWriting(transformer, ids, lengths, begin=1)
    found = beam_search(writing, BeamConfig(beams=beams, max_tokens=12, alpha=alpha), ends=[EOS])
    assert [rows[0].ids for rows in found] == [cut(row[1:]) for row in expected.tolist()]


@pytest.mark.parametrize("kind", ["transformer", "seq2seq"])
def test_sources_together_are_searched_as_each_alone(transformer, sources, kind):
    model = transformer
    if kind == "seq2seq":
        model = spread(Seq2Seq(Seq2SeqConfig(vocab_size=60, embedding=8, width=16, encoder_width=8)), 0.6)
    ids, lengths = sources
    config = BeamConfig(beams=3, max_tokens=10)
    together = beam_search(SourceWriting(model, ids, lengths, begin=1), config, ends=[EOS])
    for row in range(len(ids)):
        one = slice(row, row + 1)
        alone = beam_search(SourceWriting(model, ids[one, : lengths[row]], lengths[one], begin=1), config, ends=[EOS])
        assert [text.ids for text in alone[0]] == [text.ids for text in together[row]]


class Table:
    """A writing whose next token depends on the last one alone."""

    def __init__(self, logits_VV):
        self.logits_VV = logits_VV

    def first(self):
        return self.logits_VV[:1]

    def next(self, rows_N, tokens_N):
        return self.logits_VV[tokens_N]


@pytest.mark.parametrize("penalty", ["none", "average", "gnmt"])
def test_enough_beams_find_the_best_of_all_texts(penalty):
    table = torch.randn(5, 5, generator=torch.Generator().manual_seed(4)) * 2
    config = BeamConfig(beams=64, max_tokens=4, length_penalty=penalty, alpha=0.7)
    log_p = table.log_softmax(dim=-1).tolist()
    best = {}
    for length in range(1, 5):
        for ids in itertools.product(range(5), repeat=length):
            ended = EOS in ids
            if (ended and ids.index(EOS) != length - 1) or (not ended and length < 4):
                continue
            total = sum(log_p[last][token] for last, token in itertools.pairwise((0, *ids)))
            best[ids] = total / config.penalty(length)
    ids, score = max(best.items(), key=lambda item: item[1])
    found = beam_search(Table(table), config, ends=[EOS])[0][0]
    assert found.ids == [token for token in ids if token != EOS]
    assert math.isclose(found.score, score, abs_tol=1e-4)


def test_penalties_are_the_named_formulas():
    assert BeamConfig(length_penalty="none").penalty(7) == 1.0
    assert BeamConfig(alpha=2.0).penalty(3) == 9.0
    assert BeamConfig(length_penalty="gnmt", alpha=0.6).penalty(7) == 2.0**0.6
