"""The textbook's byte-pair trainer against its slow twin, and where it differs from that of `tokenizers`."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_corpora import random_case
from slow_plain_bpe import slow_plain_bpe

from textpipe.core._word_counts import WordCounts
from textpipe.errors import ConfigError
from textpipe.trainers import BpeTrainer, train_bpe


def learned(words, trainer):
    counts = WordCounts()
    for word, count in words.items():
        counts.add(word.encode(), count)
    trained = train_bpe(counts, trainer)
    return trained.vocab, trained.merges


def plain_case(seed):
    words, arguments = random_case(seed)
    if "continuing_subword_prefix" in arguments or "end_of_word_suffix" in arguments:
        arguments.pop("max_token_length", None)
    return Counter(words), BpeTrainer(show_progress=False, compat="plain", **arguments)


@pytest.mark.parametrize("first", range(0, 400, 100))
def test_random_corpora_train_as_by_the_slow_twin(first):
    for seed in range(first, first + 100):
        words, trainer = plain_case(seed)
        if words.total() < 250:
            assert learned(words, trainer) == slow_plain_bpe(words, trainer), f"seed {seed}: {trainer}"


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(st.text(st.sampled_from("ab가ㅋ"), min_size=1, max_size=12), st.integers(1, 40), max_size=30),
    st.integers(0, 60),
)
def test_any_words_train_as_by_the_slow_twin(words, vocab_size):
    trainer = BpeTrainer(vocab_size=vocab_size, show_progress=False, compat="plain")
    assert learned(words, trainer) == slow_plain_bpe(words, trainer)


def test_places_that_overlap_count_once():
    words = {"ㅋㅋㅋ": 2, "가나": 3}
    assert learned(words, BpeTrainer(vocab_size=4, compat="plain"))[1] == [("가", "나")]
    assert learned(words, BpeTrainer(vocab_size=4))[1] == [("ㅋ", "ㅋ")]


def test_a_pair_joined_again_stands_once_where_it_applies_first():
    for seed in range(300):
        words, trainer = plain_case(seed)
        merges = learned(words, trainer)[1]
        assert len(set(merges)) == len(merges)


def test_another_compat_is_refused_with_those_there_are():
    with pytest.raises(ConfigError, match=r"compat cannot be 'exact'.*tokenizers, plain, likelihood"):
        BpeTrainer(compat="exact")


def test_a_length_beside_a_prefix_is_refused():
    with pytest.raises(ConfigError, match="no max_token_length"):
        BpeTrainer(compat="plain", max_token_length=5, continuing_subword_prefix="##")
