"""Patterns put into other terms against Oniguruma itself, as `tokenizers` has it."""

from __future__ import annotations

import pytest
import regex
import tokenizers as oracle
from hypothesis import given
from tokenizer_samples import mixed_text

from textpipe.errors import InputError
from textpipe.pre_tokenizers import Split
from textpipe.stages.oniguruma import translate
from textpipe.stages.pattern import Regex

ALL = "".join(chr(c) for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF)
CLASSES = [
    *(r"\w", r"\W", r"\d", r"\s", r"\S", r"\h", r"\p{L}", r"\P{Lu}", r"\p{^L}", r"\p{Ll}", r"\p{Lo}"),
    *(r"\p{M}", r"\p{N}", r"[\x{AC00}-\x{D7A3}]"),
    *(r"\p{P}", r"\p{Punct}", r"\p{S}", r"\p{C}", r"\p{Cn}", r"\p{Han}", r"\p{Hangul}", r"\p{Word}", r"\p{Lower}"),
    *("[[:punct:]]", "[[:alpha:]]", "[[:^alpha:]]", "[[:lower:]]", "[[:graph:]]", "[[:print:]]", "[[:alnum:]]"),
    *(r"[^\s\p{L}\p{N}]", r"[\w\-]", r"[^\W_]", r"[\p{L}&&[^가-나]]", r"[^(\s|[.,!?…。，、।۔،])]"),
]  # fmt: skip
PATTERNS = [
    *("^", "^a", "a$", r"\Z", r"a\z", r"\n\Z", r"\p{N}{1,3}+", "a{,2}", r"\uAC00", "[a&&b]", "[[a]b]", ".", "(?m:.)"),
    *("a++b", r"\R", r"\X", "(?<!a)b", r"\b", r"\B", r"\b가", "a{2}{3}", "a{0}+b", r"[\b]", "a{", "{", "a{b}", "a}"),
    *("(?i)a(?-i)B", "a(?i)b|C", r"(?<n>a)\k<n>", r"(a)\1", "(?#x)a", "(?>a+)b", "a{2}?", "a{1,2}?", "(?:a|b){1,2}+c?"),
    *("[]a]", "[^]a]", r"[a\]]", "[-a]", "[a-]", r"\.", r"\-", r"\s+$", r"^\s*", "(?=a)", "x*", "[가-힣]+", r"\A\w"),
    *("(?<=a)b|c", "a|", "a||b", "(?x: a b )", "(?i:'s)", " ?[^(\\s|[.,!?…。，、।۔،])]+"),
]  # fmt: skip
LINES = "a½b ²x ab\n\nb aab aAaa 1234567 ſſ SS 'ſ 가나a_b a{b} a-b []a] &\r\n.\t\n b-½c가 a{2}\n"


@pytest.mark.parametrize("pattern", CLASSES)
def test_every_code_point_is_in_a_class_where_oniguruma_has_it(pattern):
    remove = oracle.normalizers.Replace(oracle.Regex(pattern), "")
    kept = "".join(remove.normalize_str(ALL[start : start + 0x1000]) for start in range(0, len(ALL), 0x1000))
    assert regex.sub(translate(pattern), "", ALL, flags=regex.VERSION1) == kept


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_matches_where_oniguruma_matches(pattern):
    ours, theirs = Split(Regex(pattern), "isolated"), oracle.pre_tokenizers.Split(oracle.Regex(pattern), "isolated")
    assert ours.pre_tokenize_str(LINES) == theirs.pre_tokenize_str(LINES)


@given(mixed_text)
def test_words_and_lines_are_found_in_any_text(text):
    for pattern in (r"\w+$|^\s*", r"\b\w", r"[^\w\s]+|\d{1,2}+"):
        ours, theirs = Split(Regex(pattern), "isolated"), oracle.pre_tokenizers.Split(oracle.Regex(pattern), "isolated")
        assert ours.pre_tokenize_str(text) == theirs.pre_tokenize_str(text)


@pytest.mark.parametrize(
    "pattern", ["(", "a)", "[a", "[b-a]", "\\", "(?<n", "*", "\\p{Nothing}", "(" * 4000, "a{9999999}"]
)
def test_what_is_no_pattern_is_refused(pattern):
    with pytest.raises(InputError, match="not a regular expression"):
        Regex(pattern)
