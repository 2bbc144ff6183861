"""The native scanners of well-known patterns against the patterns themselves, as `tokenizers` runs them."""

from __future__ import annotations

import functools

import pytest
import tokenizers as oracle
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizer_samples import corpus, texts

from textpipe.core import _text
from textpipe.pre_tokenizers import Split
from textpipe.pre_tokenizers.grammars import PATTERNS, native_split
from textpipe.pre_tokenizers.split import BEHAVIOR_NUMBERS, BEHAVIORS
from textpipe.stages.pattern import Regex, find

RUNS = [
    *(r"\p{N}{1,3}", r"\p{N}", "[一-龥぀-ゟ゠-ヿ]+", "[一-龥ࠀ-一가-퟿]+", r"\s?\p{L}+", r"\s?\p{P}+", r"[\r\n]", r"\s+"),
    *("[0-9]", " ?[^(\\s|[.,!?…。，、।۔،])]+", r"[^\s]+", r"\P{L}+", r"\d{1,2}", "가", r"\.", r"[가-힣\-]+"),
    *(r"[^\p{L}]?\p{L}+", "[0-9]{3}", "[a가]{2,}", "가?[가a]{2,3}", "[0-9][0-9][0-9]", r"[가-힣]+|\s|."),
    *(r"\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+", r"[a-z]?[가-힣]{1,3}[a-z가]?(?!1)|\d++"),
]  # fmt: skip
COVERING = {name for name in PATTERNS if name not in ("deepseek", "clip")}
# What the alternatives turn on: marks before and after letters of either case, contractions, ends of runs of spaces.
EDGES = "aAǅʰ가한\u0301\u0903 \t\n\r\x0b\u3000'sSſtTrReEvVlLdDmM12٣!/+$~\u200b中ー"
edges = st.text(alphabet=st.sampled_from(EDGES), max_size=14)
any_text = st.one_of(texts, edges)


@functools.cache
def theirs_of(pattern, behavior, invert=False):
    return oracle.pre_tokenizers.Split(oracle.Regex(pattern), behavior, invert)


def native(pattern, behavior="isolated", invert=False):
    step = native_split(Regex(pattern), BEHAVIOR_NUMBERS[behavior], invert)
    assert step is not None
    return step


def pieces(step, text):
    found = _text.cut(step, text)
    return [(text[begin:end], (begin, end)) for begin, end in zip(found[::2], found[1::2], strict=True)]


@pytest.mark.parametrize("name", PATTERNS)
@settings(max_examples=400)
@given(text=any_text)
def test_a_scanner_cuts_where_its_pattern_matches(name, text):
    assert pieces(native(PATTERNS[name]), text) == theirs_of(PATTERNS[name], "isolated").pre_tokenize_str(text)


@pytest.mark.parametrize("behavior", BEHAVIORS)
@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize("pattern", [PATTERNS["deepseek"], PATTERNS["clip"], *RUNS])
@settings(max_examples=25)
@given(text=any_text)
def test_every_behavior_does_with_matches_what_tokenizers_does(pattern, behavior, invert, text):
    expected = theirs_of(pattern, behavior, invert).pre_tokenize_str(text)
    assert pieces(native(pattern, behavior, invert), text) == expected


@pytest.mark.parametrize("name", sorted(COVERING))
@given(text=any_text)
def test_matches_that_cover_the_text_are_the_pieces_when_what_lies_between_is_removed(name, text):
    expected = theirs_of(PATTERNS[name], "removed", True).pre_tokenize_str(text)
    assert pieces(native(PATTERNS[name], "removed", True), text) == expected


@pytest.mark.parametrize("name", sorted(COVERING))
def test_other_behaviors_of_covering_patterns_go_by_the_pattern(name):
    split = Split(Regex(PATTERNS[name]), "contiguous")
    assert split.native_cut() is None
    assert split.pre_tokenize_str("it's 한글 12") == theirs_of(PATTERNS[name], "contiguous").pre_tokenize_str(
        "it's 한글 12"
    )


@pytest.mark.parametrize("pattern", [*PATTERNS.values(), *RUNS])
@pytest.mark.parametrize("name", ["ko-reviews.txt.zst", "ko-docs.txt.zst", "en-docs.txt.zst"])
def test_scanners_cut_real_text_as_tokenizers_does(pattern, name):
    text = corpus(name, 100_000)
    assert pieces(native(pattern), text) == theirs_of(pattern, "isolated").pre_tokenize_str(text)


@pytest.mark.parametrize("pattern", [*PATTERNS.values(), *RUNS])
def test_more_pieces_than_fit_in_one_call_are_all_found(pattern):
    text = "a1 한글!! \n" * 300
    assert pieces(native(pattern), text) == theirs_of(pattern, "isolated").pre_tokenize_str(text)


@pytest.mark.parametrize("behavior", BEHAVIORS)
@pytest.mark.parametrize("invert", [False, True])
def test_a_literal_is_cut_over_many_calls_as_by_the_slow_way(behavior, invert):
    text = "--가-나--다" * 400 + "-"
    split = Split("-", behavior, invert)
    assert split.native_cut() is not None
    assert split.pre_tokenize_str(text) == oracle.pre_tokenizers.Split("-", behavior, invert).pre_tokenize_str(text)


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        (r"\p{L}++|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++\z|\s*[\r\n]|\s+(?!\S)|\s", "gpt4 ends"),
        (r"\p{L}+|\p{N}{1,2}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+", "gpt4 two digits"),
    ],
)
@given(text=any_text)
def test_another_spelling_of_a_pattern_is_the_same_scanner(spelling, name, text):
    spelling = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+" + spelling
    assert native(spelling) == native(PATTERNS[name])
    assert pieces(native(spelling), text) == theirs_of(spelling, "isolated").pre_tokenize_str(text)


@pytest.mark.parametrize(
    "pattern",
    ["", "a||b", "(a)", "a{20,}", "a*", r"\w+", r"\b", "[[:alpha:]]", "[a&&b]", "^a", r"\p{Han}", r"\p{N}{1,3}+"],
)
def test_what_is_not_known_is_left_to_the_pattern_engine(pattern):
    assert native_split(Regex(pattern), 1, False) is None


def test_a_possessive_count_is_a_repeated_one_as_oniguruma_has_it():
    assert [text for text, _ in Split(Regex(r"\p{N}{1,3}+"), "isolated").pre_tokenize_str("1234567")] == ["1234567"]


@given(any_text)
def test_scanners_and_the_translated_patterns_agree(text):
    for pattern in PATTERNS.values():
        cut = [place[:2] for place in find(Regex(pattern), text)]
        assert [place for _, place in pieces(native(pattern), text)] == cut
