"""Scores of summaries: the longest part in common, by characters in Korean, and chrF as sacrebleu has it."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textpipe.errors import InputError, LimitError
from textpipe.evaluation.summaries import rouge_l, score_summaries
from textpipe.limits import Limits

sacrebleu = pytest.importorskip("sacrebleu")
TEXTS = st.text("가나다 ab", max_size=40)


def slow_common(one, other):
    """The table, cell by cell."""
    table = np.zeros((len(one) + 1, len(other) + 1), dtype=int)
    for i, a in enumerate(one):
        for j, b in enumerate(other):
            table[i + 1, j + 1] = table[i, j] + 1 if a == b else max(table[i, j + 1], table[i + 1, j])
    return int(table[-1, -1])


@given(TEXTS, TEXTS)
def test_the_longest_part_in_common_is_that_of_the_whole_table(one, other):
    a, b = ([char for char in text if char != " "] for text in (one, other))
    expected = 2 * slow_common(a, b) / (len(a) + len(b)) if a and b else 0.0
    assert rouge_l(one, other, "characters") == expected == rouge_l(other, one, "characters")
    words = [text.split() for text in (one, other)]
    expected = 2 * slow_common(*words) / sum(map(len, words)) if all(words) else 0.0
    assert rouge_l(one, other, "words") == expected


def test_the_published_example_has_its_published_score():
    reference = "police killed the gunman"
    assert rouge_l("police kill the gunman", reference, "words") == 0.75
    assert rouge_l("the gunman kill police", reference, "words") == 0.5


def test_a_particle_costs_a_character_and_not_a_word():
    one, other = "도서관을 새로 지었다", "도서관이 새로 지었다"
    assert rouge_l(one, other, "characters") == pytest.approx(8 / 9)
    assert rouge_l(one, other, "words") == pytest.approx(2 / 3)
    assert rouge_l("도서 관을새로 지었다", one, "characters") == 1.0


def test_korean_is_counted_in_characters_english_in_words_and_chrf_is_sacrebleus():
    for texts, references, unit in (
        (["새 도서관이 열렸다.", "비가 왔다"], ["도서관이 문을 열었다.", "비가 왔다"], "characters"),
        (["a library opened", "it rained"], ["the library opened its doors", "it rained"], "words"),
    ):
        found = score_summaries(texts, references, num_resamples=50)
        assert (found.unit, found.num_texts) == (unit, 2)
        assert found.rouge_l.value == np.mean([rouge_l(*both, unit) for both in zip(texts, references, strict=True)])
        assert found.rouge_l.low <= found.rouge_l.value <= found.rouge_l.high == 1.0
        assert found.chrf.value == sacrebleu.corpus_chrf(texts, [references]).score
    decomposed = [unicodedata.normalize("NFD", text) for text in ("새 도서관", "비")]
    found = score_summaries(decomposed, ["새 도서관", "비"], num_resamples=2)
    assert (found.unit, found.rouge_l.value) == ("characters", 1.0)


def test_a_lost_summary_a_reference_of_nothing_and_one_that_is_no_summary_are_refused():
    with pytest.raises(InputError, match="2 true summaries and 1 predicted"):
        score_summaries(["가"], ["가", "나"])
    with pytest.raises(InputError, match="text 2: the reference is empty"):
        score_summaries(["가", "나"], ["가", " "])
    limits = Limits(summary_units=5)
    assert rouge_l("가나다라 마", "가", "characters", limits=limits) > 0
    with pytest.raises(LimitError, match=r"6 characters \(allowed: 5"):
        rouge_l("가", "가나다라마바", "characters", limits=limits)
