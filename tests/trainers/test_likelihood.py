"""Merges by likelihood against the slow twin, and their own promises."""

from __future__ import annotations

from collections import Counter

import pytest
from random_corpora import random_case
from slow_likelihood import slow_likelihood

from textpipe.core._word_counts import WordCounts
from textpipe.errors import ConfigError
from textpipe.trainers import BpeTrainer, WordPieceTrainer, train_bpe, train_bpe_ladder, train_word_piece

TEXT = "밥을 먹고 밥을 짓고 한글 \u1112\u1161\u11ab글 갂다ㅋㅋㅋㅋㅋ ㅋㅋㅋ the ferries ferry ㅠㅠ;;ㅎㅎ 学校에"
KOREAN = TEXT.split()


def counts_of(words):
    counts = WordCounts()
    for word, count in Counter(words).items():
        counts.add(word.encode(), count)
    return counts


@pytest.mark.parametrize("first", range(0, 600, 100))
def test_random_corpora_train_as_by_the_slow_twin(first):
    for seed in range(first, first + 100):
        words, arguments = random_case(seed)
        arguments.pop("max_token_length", None)
        if len(words) < 250:
            trainer = BpeTrainer(show_progress=False, compat="likelihood", **arguments)
            mine = train_bpe(counts_of(words), trainer)
            assert (mine.vocab, mine.merges) == slow_likelihood(Counter(words), trainer), f"seed {seed}: {arguments}"


@pytest.mark.parametrize("min_frequency", [0, 2])
def test_korean_pieces_train_as_by_the_slow_twin(min_frequency):
    trainer = WordPieceTrainer(vocab_size=120, min_frequency=min_frequency, scoring="likelihood")
    words = KOREAN * 2 + KOREAN[:5]
    assert train_word_piece(counts_of(words), trainer) == slow_likelihood(Counter(words), trainer.merging())[0]


def test_parts_that_are_always_together_go_before_frequent_ones():
    words = ["ab"] * 50 + ["ax"] * 60 + ["cb"] * 60 + ["qz"] * 3
    first = {
        scoring: list(train_word_piece(counts_of(words), WordPieceTrainer(vocab_size=10, scoring=scoring)))[-1]
        for scoring in ("frequency", "likelihood")
    }
    assert first == {"frequency": "ax", "likelihood": "qz"}


def test_of_equal_scores_the_pair_that_counts_most_is_first():
    words = ["ab", "ab", "xb", "xb", "cd", "c", "d", "x"]
    scores = {("a", "b"): 2 / (2 * 4), ("c", "d"): 1 / (2 * 2), ("x", "b"): 2 / (3 * 4)}
    assert scores["a", "b"] == scores["c", "d"] == max(scores.values())
    merges = train_bpe(counts_of(words), BpeTrainer(vocab_size=6, compat="likelihood")).merges
    assert merges == [("a", "b")]


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ({"ab": 1 << 60, "cd": (1 << 60) - 1}, ("c", "d")),  # 1 / n is less than 1 / (n - 1)
        ({"ab": 1 << 60, "cd": (1 << 60) - 1, "c": 1}, ("a", "b")),  # 1 / n both, so the count says
    ],
)
def test_scores_that_floating_point_cannot_tell_are_told(words, first):
    counts = WordCounts()
    for word, count in words.items():
        counts.add(word.encode(), count)
    assert train_bpe(counts, BpeTrainer(vocab_size=5, compat="likelihood")).merges == [first]


def test_the_order_of_the_words_changes_nothing_and_a_ladder_is_one_run():
    trainer = BpeTrainer(compat="likelihood")
    forth, back = (train_bpe_ladder(counts_of(words), trainer, [60, 45]) for words in (KOREAN, KOREAN[::-1]))
    assert forth == back
    assert forth[1] == train_bpe(counts_of(KOREAN), BpeTrainer(vocab_size=45, compat="likelihood"))


def test_what_stops_a_training_is_raised():
    def progress(phase, *_row, **_facts):
        if phase == "merge":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_bpe(counts_of(KOREAN), BpeTrainer(vocab_size=60, compat="likelihood"), progress=progress)


@pytest.mark.parametrize("limit", [{"max_token_length": 3}, {"whole_characters": True}, {"scripts_apart": True}])
def test_limits_of_tokens_are_refused(limit):
    with pytest.raises(ConfigError, match="likelihood"):
        BpeTrainer(compat="likelihood", **limit)


def test_another_scoring_is_refused():
    with pytest.raises(ConfigError, match=r"scoring cannot be 'likely'.*frequency or likelihood"):
        WordPieceTrainer(scoring="likely")
