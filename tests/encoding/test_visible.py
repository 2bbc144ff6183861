"""Text as a person can see it: blanks with a shape, nothing a terminal or a page obeys, bytes told from text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textpipe.encoding.visible import visible, visible_bytes


@given(st.text())
def test_nothing_that_is_shown_is_obeyed(text: str) -> None:
    shown = visible(text)
    assert not any(unicodedata.category(each) in ("Cc", "Cs", "Zl", "Zp", "Zs") for each in shown)
    assert not any(unicodedata.bidirectional(each) in ("RLE", "LRO", "RLO", "RLI") for each in shown)


@pytest.mark.parametrize("text", ["밥을", unicodedata.normalize("NFD", "밥을"), "ㅋㅋㅠ", "👩‍👩‍👧", "क्‍ष", "Ω≈"])
def test_what_has_a_shape_is_shown_as_it_is(text: str) -> None:
    assert visible(text) == text
    assert visible_bytes(text.encode()) == text


def test_parts_of_characters_are_bytes_between_the_text() -> None:
    assert visible_bytes("가 나".encode()[1:-1]) == "‹b0 80›␣‹eb 82›"


@given(st.binary())
def test_any_bytes_can_be_shown(data: bytes) -> None:
    assert bool(visible_bytes(data).encode()) == bool(data)
