"""A word that would take gigabytes to merge: refused before any of them is asked for."""

from __future__ import annotations

import resource

import pytest

from textpipe import Tokenizer, models, pre_tokenizers
from textpipe.core._native import LONGEST_WORD
from textpipe.errors import LimitError
from textpipe.limits import DEFAULT_LIMITS


def by_merges():
    alphabet = {character: number for number, character in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    return models.BPE(alphabet | {"aa": 256}, [("a", "a")])


def by_ranks():
    return models.RankBPE({bytes([byte]): byte for byte in range(256)} | {b"aa": 256})


def by_characters():
    return models.BPE({"a": 0, "aa": 1}, [("a", "a")])


@pytest.mark.parametrize("dropout", [None, 0.1])
@pytest.mark.parametrize("make", [by_merges, by_ranks, by_characters])
def test_a_word_longer_than_the_cap_is_refused_before_it_is_merged(make, dropout):
    if make is by_ranks and dropout:
        pytest.skip("ranks know no dropout")
    tokenizer = Tokenizer(make())
    if make is not by_characters:
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.encode("aa")
    if dropout:
        tokenizer.model.dropout = dropout
    text = "a" * (DEFAULT_LIMITS.word_bytes + 1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(LimitError, match="a word is too long to be merged"):
        tokenizer.encode_to_numpy([text], threads=1)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 3 * len(text) / 1024
    assert tokenizer.encode_batch_fast(["aa" * 50])[0].ids


def test_the_native_cap_is_that_of_the_limits():
    assert DEFAULT_LIMITS.word_bytes == LONGEST_WORD


def test_words_of_the_models_own_are_refused_alike():
    word = "a" * (DEFAULT_LIMITS.word_bytes + 1)
    for tokenize, given in (
        (by_characters().tokenize, word),
        (by_ranks().native(byte_level=True).tokenize_bytes, word.encode()),
    ):
        with pytest.raises(LimitError, match="put a pre-tokenizer before the model"):
            tokenize(given)
