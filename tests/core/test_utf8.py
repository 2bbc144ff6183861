"""The native check for UTF-8 against Python's own."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from textpipe.core._text import is_utf8

# One byte of each kind that table 3-7 of the Unicode Standard tells apart, and its neighbours.
BYTES = bytes.fromhex("00 7f 80 8f 90 9f a0 bf c0 c1 c2 df e0 e1 ec ed ee ef f0 f1 f3 f4 f5 ff")


def is_utf8_in_python(text):
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def test_every_run_of_up_to_four_telling_bytes_is_judged_as_by_python():
    for size in range(5):
        for run in itertools.product(BYTES, repeat=size):
            text = bytes(run)
            assert is_utf8(text) == is_utf8_in_python(text), text


def test_every_code_point_is_accepted_whole_and_refused_when_cut():
    for code in itertools.chain(range(0x80, 0x3000, 7), range(0xAC00, 0xD800, 5), range(0xE000, 0x110000, 97)):
        character = chr(code).encode()
        assert is_utf8(character)
        assert not is_utf8(character[:-1])


def test_what_telling_bytes_are_is_judged_alike_at_every_distance_from_a_window_s_end():
    for size in range(1, 4):
        for run in itertools.product(BYTES, repeat=size):
            for ahead in (61, 62, 63, 64, 126) if size < 3 else (62,):
                text = b"a" * ahead + bytes(run) + b"b" * 70
                assert is_utf8(text) == is_utf8_in_python(text), text


@given(
    st.lists(st.sampled_from(["가", "a", "é", "😀", "ㅋ", "힣"]), min_size=40),
    st.binary(max_size=3),
    st.integers(0, 400),
)
def test_bytes_anywhere_in_long_texts_are_judged_as_by_python(characters, middle, at):
    text = "".join(characters).encode()
    text = text[:at] + middle + text[at:]
    assert is_utf8(text) == is_utf8_in_python(text)


@given(st.text(), st.binary(max_size=3), st.text())
def test_bytes_between_texts_are_judged_as_by_python(before, middle, after):
    text = before.encode("utf-8", "replace") + middle + after.encode("utf-8", "replace")
    assert is_utf8(text) == is_utf8_in_python(text)


@given(st.binary())
def test_any_bytes_are_judged_as_by_python(text):
    assert is_utf8(text) == is_utf8_in_python(text)
