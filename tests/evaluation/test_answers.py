"""Exact match and F1 of answers."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textpipe.errors import ConfigError, InputError
from textpipe.evaluation.answers import exact_match, score_answers, shared_f1

TEXTS = st.text(st.sampled_from("한강 서울에ab the.,'《》"), max_size=12)
LANGUAGES = st.sampled_from(["en", "ko"])


@pytest.mark.parametrize(
    ("given_answer", "right", "language", "same"),
    [
        ("The Han River.", "han  river", "en", True),
        ("a theatre", "theatre", "en", True),
        ("theatre", "atre", "en", False),
        ("《훈민정음》", "훈민정음", "ko", True),
        ("훈민 정음", "훈민정음", "ko", False),
        ("세종'대왕", "세종 대왕", "ko", True),
        ("세종,대왕", "세종대왕", "ko", True),
        ("the 책", "책", "ko", False),
        (unicodedata.normalize("NFD", "세종"), "세종", "ko", True),
    ],
)
def test_what_counts_as_the_same_answer(given_answer, right, language, same):
    assert exact_match(given_answer, right, language=language) is same


@pytest.mark.parametrize(
    ("given_answer", "right", "language", "f1"),
    [
        ("in the old town hall", "town hall", "en", 2 * 2 / (4 + 2)),
        ("1443년에", "1443년", "ko", 2 * 5 / (6 + 5)),
        ("하나 하나", "하나", "en", 2 * 1 / (2 + 1)),
        ("", "", "en", 1.0),
        ("", "서울", "ko", 0.0),
    ],
)
def test_f1_counts_words_in_english_and_characters_in_korean(given_answer, right, language, f1):
    assert shared_f1(given_answer, right, language=language) == pytest.approx(f1, abs=1e-15)


@given(TEXTS, TEXTS, LANGUAGES)
def test_f1_is_a_share_the_same_both_ways_and_1_for_the_same_answer(one, other, language):
    found = shared_f1(one, other, language=language)
    assert 0 <= found <= 1
    assert found == shared_f1(other, one, language=language)
    if exact_match(one, other, language=language):
        assert found == 1


def test_the_nearest_right_answer_counts():
    found = score_answers(["세종대왕", "부산"], [["이도", "세종대왕"], ["서울"]], language="ko", num_resamples=20)
    assert (found.exact_match.value, found.f1.value, found.num_questions) == (0.5, 0.5, 2)


@pytest.mark.parametrize("right", [[[]], ["서울"]])
def test_right_answers_that_are_no_list_are_refused(right):
    with pytest.raises(InputError, match="question 1"):
        score_answers(["서울"], right, language="ko")


def test_another_language_and_a_lost_answer_are_refused():
    with pytest.raises(ConfigError, match="known: en, ko"):
        score_answers(["x"], [["x"]], language="fr")
    with pytest.raises(InputError, match="2 true answers and 1 predicted"):
        score_answers(["x"], [["x"], ["y"]], language="en")
