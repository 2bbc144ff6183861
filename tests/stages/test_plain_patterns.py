"""Patterns made of runs of characters: native steps match what `tokenizers` matches, in linear time."""

from __future__ import annotations

import re

import pytest
import tokenizers as oracle
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizer_samples import texts

from textpipe import Tokenizer
from textpipe.models import WordLevel
from textpipe.normalizers import AlignedText, Replace
from textpipe.pre_tokenizers import Split
from textpipe.pre_tokenizers.grammars import native_split
from textpipe.stages.pattern import Regex, find, replaced
from textpipe.stages.plain_patterns import plain_alternatives

ONES = [
    "a",
    "가",
    " ",
    r"\s",
    r"\S",
    r"\p{L}",
    r"[^\p{L}]",
    "[가-힣]",
    "[a-c]",
    r"\d",
    ".",
    r"[\r\n]",
    "[ab가😀]",
    r"\.",
]
COUNTS = ["", "", "", "?", "+", "*", "{2}", "{1,2}", "{2,}", "{,2}", "?+", "++"]
EDGES = "aabbc가각힣1 .\n\r\u3000😀\u1112\u1161\u11abZ"


@st.composite
def patterns(draw):
    """Alternatives of such runs, many of them plain."""
    rows = []
    for _ in range(draw(st.integers(1, 3))):
        runs = draw(st.lists(st.tuples(st.sampled_from(ONES), st.sampled_from(COUNTS)), min_size=1, max_size=3))
        ahead = draw(st.sampled_from(["", "", "", *(f"(?!{one})" for one in ONES[:8])]))
        rows.append("".join(one + count for one, count in runs) + ahead)
    return "|".join(rows)


edges = st.one_of(st.text(alphabet=st.sampled_from(EDGES), max_size=16), texts)


@settings(max_examples=500)
@given(patterns(), edges, st.sampled_from(["isolated", "removed", "merged_with_next"]), st.booleans())
def test_native_cuts_are_those_of_tokenizers(pattern, text, behavior, invert):
    split = Split(Regex(pattern), behavior, invert)
    if plain_alternatives(pattern) is None:
        return
    assert split.native_cut() is not None
    theirs = oracle.pre_tokenizers.Split(oracle.Regex(pattern), behavior, invert)
    assert split.pre_tokenize_str(text) == theirs.pre_tokenize_str(text)


@settings(max_examples=300)
@given(patterns(), edges, st.sampled_from(["", " ", "▁", "길다란 글"]))
def test_native_replacing_is_that_of_tokenizers_with_its_places(pattern, text, content):
    if plain_alternatives(pattern) is None:
        return
    step = Replace(Regex(pattern), content)
    assert step.native_steps() is not None
    theirs = oracle.normalizers.Replace(oracle.Regex(pattern), content)
    assert step.normalize_str(text) == theirs.normalize_str(text)
    made = step.apply(AlignedText.of(text))
    found = replaced(Regex(pattern), text, content)
    sources = [
        source
        for begin, end, is_match, part in found
        for source in ([end - 1] * len(part) if is_match else range(begin, end))
    ]
    slowly = AlignedText.of(text).replaced("".join(part for *_, part in found), sources)
    assert (made.text, made.origins) == (slowly.text, slowly.origins)


@given(edges)
def test_the_pattern_engine_finds_the_same(text):
    pattern = r"[^\r\n\p{L}\p{N}]?[가-힣a-z]+|\p{N}{1,3}|\s+(?!\S)|\s+|."
    step = native_split(Regex(pattern), 1, False)
    assert step is not None
    found = Split(Regex(pattern), "isolated").pre_tokenize_str(text)
    assert [place for _, place in found] == [(begin, end) for begin, end, _ in find(Regex(pattern), text)]


@pytest.mark.parametrize(
    "pattern",
    [
        "a+b",  # of a long run of a there would be as many beginnings as there are a
        r"\s*[\r\n]+",
        "[ab]+b?(?!c)",
        "a+(?!a)",
        "a*",
        "a?b?",
        "a++(?!b)",
        "a{1,9}a{1,9}a{1,9}a",
        "a{30}",
        "|a",
        "a||b",
        "a+?",
        "a{2}+",
        "(?!a)b",
        "(?i)a",
        "a$",
        "|".join("a" * 40),
    ],
)
def test_what_is_not_plain_is_left_to_the_pattern_engine(pattern):
    assert plain_alternatives(pattern) is None


def test_a_file_with_such_a_step_is_one_native_program_and_encodes_as_tokenizers_does():
    tokenizer = Tokenizer(WordLevel({"<unk>": 0, "가": 1, "나 다": 2}, "<unk>"))
    tokenizer.normalizer = Replace(Regex(" {2,}"), " ")
    tokenizer.pre_tokenizer = Split(Regex("[.!?]+|\\n"), "isolated")
    assert tokenizer.pipeline.native is not None
    theirs = oracle.Tokenizer.from_str(tokenizer.to_str())
    for text in ("가.나   다!!\n", "나 다", "  ", "나    다?가"):
        ours = tokenizer.encode(text)
        assert (ours.ids, ours.offsets) == (theirs.encode(text).ids, theirs.encode(text).offsets)


@pytest.mark.parametrize("text", ["a" * 300_000, "ab" * 150_000, " " * 300_000, "가" * 100_000 + "a"])
@pytest.mark.parametrize("pattern", [r"a+|b", r"\s+(?!\S)|\s+", r"[a-z]?가+b?|a{2,3}(?!c)"])
def test_long_runs_take_no_more_steps_than_their_length(pattern, text):
    found = Split(Regex(pattern), "removed").pre_tokenize_str(text)  # in no time, or pytest's own limit ends it
    assert "".join(piece for piece, _ in found) == re.sub(pattern, "", text)


MEMBERS = [
    *"abc가나&^",
    "-",
    "-",
    "-z",
    "가-힣",
    r"\d",
    r"\s",
    r"\p{L}",
    r"\\",
    r"\[",
    r"\]",
    r"\-",
    "[a]",
    "[^b]",
    "[-b]",
]
classes = st.builds(
    lambda sign, members: f"[{sign}{''.join(members)}]",
    st.sampled_from(["", "", "^"]),
    st.lists(st.sampled_from(MEMBERS), min_size=1, max_size=6),
)


@settings(max_examples=300)
@given(classes)
@example(r"[a\\[a]]")
@example("[ -[a]]")
@example("[x[b]-z]")
@example(r"[\s ^-[a]]")
@example("[가-[^b]]")
@example("[x-&&[-x]]")
@example(r"[b\d-[x]]")
def test_a_class_holds_what_it_holds_in_tokenizers(pattern):
    try:
        theirs = oracle.pre_tokenizers.Split(oracle.Regex(pattern), "removed")
    except Exception:  # of whatever kind: it is no class there
        return
    ours = Split(Regex(pattern), "removed")
    for character in "abcxyz-^ é가나히0\\[]&%_":
        expected = not theirs.pre_tokenize_str(character)
        assert expected == (not ours.pre_tokenize_str(character))
        assert expected == any(is_match for *_, is_match in find(Regex(pattern), character))
