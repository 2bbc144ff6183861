"""The Unicode tables against `tokenizers`, at every code point."""

from __future__ import annotations

import pytest
import tokenizers as oracle

from textpipe import normalizers
from textpipe.core import _text

CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
ALL = "".join(map(chr, CODE_POINTS))
CLASSES = _text.classes_of(ALL)


def matched_by(pattern: str) -> set[int]:
    replace = oracle.normalizers.Replace(oracle.Regex(pattern), "")
    kept: set[int] = set()
    for start in range(0, len(ALL), 0x1000):
        kept.update(map(ord, replace.normalize_str(ALL[start : start + 0x1000])))
    return set(CODE_POINTS) - kept


def of_class(flag: int) -> set[int]:
    return {c for c, kind in zip(CODE_POINTS, CLASSES, strict=True) if kind & flag}


@pytest.mark.parametrize(
    ("flag", "pattern"), [(_text.LETTER, r"\p{L}"), (_text.NUMBER, r"\p{N}"), (_text.SPACE, r"\s")]
)
def test_every_code_point_has_the_class_the_pattern_engine_gives_it(flag, pattern):
    assert of_class(flag) == matched_by(pattern)


@pytest.mark.parametrize("name", [*_text.CATEGORIES[:-1], "L", "M", "N", "P", "S", "Z"])
def test_every_code_point_has_the_category_the_pattern_engine_gives_it(name):
    bits = sum(1 << number for number, each in enumerate(_text.CATEGORIES) if each.startswith(name) and each != "C")
    if name == "Cc":
        bits |= _text.NEWLINE | _text.CONTROL_SPACE
    found = {c for first, last in _text.category_ranges(bits) for c in range(first, last + 1)}
    assert found == matched_by(rf"\p{{{name}}}")


def test_every_code_point_is_a_word_character_where_the_whitespace_splitter_takes_it_for_one():
    splitter = oracle.pre_tokenizers.Whitespace()
    expected = {c for c in CODE_POINTS if (found := splitter.pre_tokenize_str("a" + chr(c))) and found[0][1] == (0, 2)}
    assert of_class(_text.WORD) == expected


def test_every_code_point_is_numeric_where_the_digit_splitter_takes_it_for_one():
    splitter = oracle.pre_tokenizers.Digits(individual_digits=True)
    expected = {c for c in CODE_POINTS if len(splitter.pre_tokenize_str(f"a{chr(c)}b")) == 3}
    assert of_class(_text.NUMERIC) == expected


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD", "Lowercase"])
def test_every_code_point_normalizes_as_in_tokenizers(form):
    theirs = getattr(oracle.normalizers, form)()
    ours = getattr(normalizers, form)()
    wrong = [c for c in CODE_POINTS if ours.normalize_str(chr(c)) != theirs.normalize_str(chr(c))]
    assert wrong == []


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_every_code_point_between_marks_keeps_canonical_order_as_in_tokenizers(form):
    theirs = getattr(oracle.normalizers, form)()
    ours = getattr(normalizers, form)()
    for start in range(0, len(ALL), 0x4000):
        text = "".join(f"q\u0345{c}\u0338e{c}\u0301" for c in ALL[start : start + 0x4000])
        assert ours.normalize_str(text) == theirs.normalize_str(text)


def test_the_unicode_version_is_recorded():
    assert _text.UNICODE_VERSION == "16.0.0"
