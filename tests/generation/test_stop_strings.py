"""A text ends before the stop string that is whole first, however it is cut into pieces."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from textpipe.errors import ConfigError
from textpipe.generation.sampling import SamplingConfig
from textpipe.generation.stop_strings import StopStrings

letters = st.text("가나ab", max_size=12)


def cut(text, places):
    bounds = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    return [text[begin:end] for begin, end in pairwise(bounds)]


@example("aaa나a", ["나", "a나a"], [3])
@given(letters, st.lists(st.text("가나ab", min_size=1, max_size=3), max_size=3), st.lists(st.integers(0, 20)))
def test_pieces_joined_are_the_text_up_to_the_first_stop(text, strings, places):
    watch = StopStrings(strings)
    shown = "".join(watch.feed(piece) for piece in cut(text, places)) + watch.finish()
    found = [(at + len(string), at) for string in strings if (at := text.find(string)) >= 0]
    assert shown == text[: min(found, default=(0, len(text)))[1]]
    assert watch.has_stopped == bool(found)


@given(letters)
def test_without_strings_nothing_is_held_back(text):
    assert StopStrings([]).feed(text) == text


def test_an_empty_stop_string_is_refused():
    with pytest.raises(ConfigError, match="an empty string stands everywhere"):
        SamplingConfig(stop=("",))
