"""Corpora by name and by weight: shares are what was asked for, in whole numbers, the same anywhere."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textpipe.core._word_counts import WordCounts
from textpipe.errors import ConfigError, InputError, LimitError
from textpipe.trainers import BpeTrainer, train_bpe
from textpipe.vocabulary.corpora import UNITS, Corpus, Weights, name_corpora, weigh


def counts_of(words):
    counts = WordCounts(byte_level=True)
    for word, count in words.items():
        counts.add(word if isinstance(word, bytes) else word.encode(), count)
    return counts


WORDS = st.dictionaries(st.binary(min_size=1, max_size=30), st.integers(1, 10**9), min_size=1, max_size=20)


def scaled_slowly(words, factor):
    return {word: max(1, (count * factor + (1 << 19)) >> 20) for word, count in words.items()}


@given(WORDS, st.integers(0, 1 << 33))
def test_scaling_is_that_of_whole_numbers(words, factor):
    counts = counts_of(words)
    counts.scale(factor)
    assert dict(counts.items()) == scaled_slowly(words, factor)


@given(WORDS, WORDS, st.integers(1, 99))
def test_each_corpus_has_its_share_of_the_bytes(first, second, percent):
    shares = [Fraction(percent, 100), Fraction(100 - percent, 100)]
    first = {b"a" + word: count for word, count in first.items()}
    second = {b"b" + word: count for word, count in second.items()}
    try:
        whole = weigh([counts_of(first), counts_of(second)], shares, keep=True)
    except LimitError:
        return
    sizes = [sum(len(w) * n for w, n in whole.items() if w.startswith(start)) for start in (b"a", b"b")]
    rounding = sum(map(len, [*first, *second]))
    assert abs(sizes[0] - sum(sizes) * shares[0]) <= 2 * rounding + sum(sizes) / 1e6


def test_equal_shares_of_equal_corpora_train_what_the_plain_counts_train():
    words = {"먹다": 9, "먹고": 7, "걷다": 4, "걷고": 2}
    halves = [counts_of(words), counts_of(words)]
    weighed = weigh(halves, [Fraction(1, 2)] * 2, keep=True)
    plain = counts_of({word: 2 * count for word, count in words.items()})
    assert weighed.items() == [(word, UNITS * count) for word, count in plain.items()]
    for least in (0, 5):
        ours = train_bpe(weighed, BpeTrainer(vocab_size=40, min_frequency=least * UNITS))
        assert ours == train_bpe(plain, BpeTrainer(vocab_size=40, min_frequency=least))


def test_corpora_are_emptied_where_they_need_not_be_kept():
    parts = [counts_of({"가": 3}), counts_of({"나": 5})]
    weigh(parts, [Fraction(1, 2)] * 2, keep=False)
    assert [len(part) for part in parts] == [0, 0]


def test_a_weight_of_nothing_leaves_a_corpus_out_and_an_empty_corpus_can_have_no_other():
    whole = weigh([counts_of({"가": 3}), counts_of({"나": 5})], [Fraction(1), Fraction(0)], keep=True)
    assert [word.decode() for word, _ in whole.items()] == ["가"]
    with pytest.raises(InputError, match="input 2 of 2 has a weight and no words"):
        weigh([counts_of({"가": 3}), counts_of({})], [Fraction(1, 2)] * 2, keep=True)


def test_a_factor_beyond_the_numbers_is_refused():
    with pytest.raises(LimitError, match="input 2 of 2 would count"):
        weigh([counts_of({"가": 1 << 50}), counts_of({"나": 1})], [Fraction(1, 2)] * 2, keep=True)
    with pytest.raises(LimitError, match="pass"):
        counts_of({"가": 1 << 60}).scale(1 << 25)


def test_temperature_goes_from_sizes_to_equal_shares():
    sizes = {"ko": 100, "en": 400}
    shares = [Weights.parse(f"temperature={t}").of(sizes)["ko"] for t in ("1", "0.5", "0")]
    assert [round(float(share), 4) for share in shares] == [0.2, 0.3333, 0.5]


def test_shares_are_put_to_a_sum_of_one():
    assert Weights.parse("ko=3, en=1").of({"ko": 1, "en": 1}) == {"ko": Fraction(3, 4), "en": Fraction(1, 4)}


@pytest.mark.parametrize(
    "text", ["", "ko", "ko=", "ko=-1", "ko=x", "ko=1/2", "ko=nan", "ko=0,en=0", "temperature=2", "ko=1,ko=2", "=1,"]
)
def test_what_are_no_weights_is_refused(text):
    with pytest.raises(ConfigError):
        Weights.parse(text).of({"ko": 1, "en": 1})


def test_names_that_do_not_fit_are_refused_with_the_nearest():
    with pytest.raises(ConfigError, match=r"no input is named 'kor'.*did you mean"):
        Weights.parse("kor=1,en=1").of({"ko": 1, "en": 1})
    with pytest.raises(ConfigError, match="do not name inputs without a name"):
        Weights.parse("ko=1").of({"ko": 1, "": 1})


def test_a_path_that_exists_has_no_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a=b.txt").write_text("가")
    assert name_corpora(["a=b.txt", Path("c.txt"), "ko=d.txt"]) == [
        Corpus("", (Path("a=b.txt"), Path("c.txt"))),
        Corpus("ko", (Path("d.txt"),)),
    ]
