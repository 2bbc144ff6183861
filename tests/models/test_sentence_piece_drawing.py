"""Spellings that sentencepiece models draw, and the likeliest of them, against sentencepiece itself."""

from __future__ import annotations

import copy
import math
from collections import Counter

import pytest
from sentencepiece_models import LINES, model_bytes, processor

from textpipe import Tokenizer
from textpipe.errors import InputError, LimitError
from textpipe.formats import sentencepiece

TEXT = "영화를 보고 울었다"
KINDS = ["unigram", "unigram with suffixes", "unigram across spaces", "unigram of spaces"]


def tokenizer(kind):
    return Tokenizer.from_parts(sentencepiece.read(model_bytes(kind), path="x.model"))


@pytest.mark.parametrize("kind", KINDS)
def test_the_likeliest_spellings_are_those_of_sentencepiece_but_for_the_order_of_ties(kind):
    made = tokenizer(kind)
    for text in [*LINES, "뷁뷁 똠ab", "ㅋㅋ"]:
        ours = made.model.nbest(made.normalizer.normalize_str(text), 8)
        scores = [spelling.score for spelling in ours]
        assert scores == sorted(scores, reverse=True)
        found = [[token.id for token in spelling.tokens] for spelling in ours]
        theirs = processor(kind).nbest_encode_as_ids(text, nbest_size=8)
        # Sums are single-precision there: among equally likely spellings any may come first, or be the last let in.
        certain = [ids for ids, score in zip(found, scores, strict=True) if score > scores[-1] + 1e-3]
        assert all(ids in theirs for ids in certain)
        assert len(found) == len(theirs)


def test_bytes_and_symbols_keep_their_meaning_in_every_spelling():
    made = tokenizer("unigram of bytes")
    for text in ("<0x41>ab", "뷁ㅋㅋ<sep>영화", "<ctl>가"):
        normalized = made.normalizer.normalize_str(text)
        first = made.model.nbest(normalized, 3)[0]
        assert [token.id for token in first.tokens] == processor("unigram of bytes").encode(text)
        made.model.alpha = 100.0  # so high a power leaves the likeliest alone
        assert made.encode(text).ids == processor("unigram of bytes").encode(text)
        assert made.decode(made.encode(text).ids) == processor("unigram of bytes").decode(made.encode(text).ids)
        made.model.alpha = None


@pytest.mark.parametrize(("alpha", "nbest_size"), [(0.5, None), (0.3, 4)])
def test_spellings_of_a_sentence_are_drawn_as_often_as_their_likelihood_says(alpha, nbest_size):
    made = tokenizer("unigram")
    made.model.alpha, made.model.nbest_size = alpha, nbest_size
    normalized = made.normalizer.normalize_str(TEXT)
    likely = made.model.nbest(normalized, nbest_size or 50)
    weights = {tuple(token.id for token in spelling.tokens): math.exp(alpha * spelling.score) for spelling in likely}
    drawn = Counter(tuple(token.id for token in made.model.sample(normalized, seed)) for seed in range(4000))
    for ids, weight in weights.items():
        assert drawn[ids] / 4000 == pytest.approx(weight / sum(weights.values()), abs=0.04)


def test_every_way_to_encode_draws_and_forgets_to_when_it_shall():
    made = tokenizer("unigram")
    certain = made.encode(TEXT).ids
    made.model.alpha = 0.1
    assert made.pipeline.native is not None
    for draw in (
        lambda: made.encode(TEXT).ids,
        lambda: made.encode_batch([TEXT])[0].ids,
        lambda: made.encode_batch_fast([TEXT])[0].ids,
        lambda: made.encode_to_numpy([TEXT])[0],
    ):
        found = {tuple(draw()) for _ in range(100)}
        assert len(found) > 1
        assert all(made.decode(ids) == TEXT for ids in found)
    copied = copy.deepcopy(made.model)
    assert (copied.alpha, copied.sample("▁영화", 7)) == (0.1, made.model.sample("▁영화", 7))
    made.model.alpha = None
    assert made.encode(TEXT).ids == certain


def test_what_cannot_be_drawn_is_said():
    with pytest.raises(InputError, match=r"a bpe model draws no spellings.*dropout"):
        tokenizer("bpe").model.alpha = 0.1
    with pytest.raises(InputError, match="a char model has one spelling"):
        tokenizer("characters").model.nbest("가", 2)
    model = tokenizer("unigram").model
    with pytest.raises(InputError, match="alpha is nan"):
        model.alpha = math.nan
    with pytest.raises(LimitError, match="spellings of 100000 characters"):
        model.nbest("가" * 100_000, 1000)
