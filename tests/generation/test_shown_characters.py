"""A stream of text is cut between characters as readers see them, wherever the pieces were cut."""

from __future__ import annotations

import unicodedata

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from textpipe.generation.shown_characters import in_shown_characters

KOREAN = unicodedata.normalize("NFD", "값을 매긴 바다는 넓다")
OTHERS = ["👩‍👩‍👧‍👦", "🇰🇷🇺🇸", "👍🏽", "e\u0301\u0323", "क्षि", "\r\n", "ᄀᆞ", "가\u302e", "ㅋㅋ", "a", " "]


def borders(text):
    return {found.end() for found in regex.finditer(r"\X", text)}


@pytest.mark.parametrize("text", [KOREAN, *OTHERS, "".join(OTHERS)])
def test_a_text_that_comes_a_code_point_at_a_time_is_shown_a_character_at_a_time(text):
    shown = list(in_shown_characters(text))
    assert shown == regex.findall(r"\X", text)


@given(
    st.lists(st.one_of(st.sampled_from([*KOREAN, *"".join(OTHERS), ""]), st.text(max_size=3)), max_size=30),
)
def test_no_piece_ends_inside_a_character_and_nothing_is_lost(pieces):
    shown, place = list(in_shown_characters(pieces)), 0
    text = "".join(pieces)
    assert "".join(shown) == text
    for piece in shown:
        assert piece
        place += len(piece)
        assert place in borders(text)


def test_marks_without_end_do_not_hold_a_text_back():
    shown = in_shown_characters(iter(lambda: "\u0301", ""))
    assert len(next(shown)) < 100


def test_a_character_is_shown_when_the_next_one_begins():
    given = iter(["한", "국", "어"])
    shown = in_shown_characters(given)
    assert next(shown) == "한"
    assert next(given) == "어"
