"""Normalizers against `tokenizers`: the text, and where each character comes from."""

from __future__ import annotations

import copy

import pytest
import tokenizers as oracle
from hypothesis import given
from tokenizer_samples import texts

from textpipe import Tokenizer, normalizers
from textpipe.errors import InputError, LimitError
from textpipe.stages.pattern import Regex

PAIRS = [
    *((getattr(normalizers, name)(), getattr(oracle.normalizers, name)()) for name in ("NFC", "NFD", "NFKC", "NFKD")),
    (normalizers.Lowercase(), oracle.normalizers.Lowercase()),
    (normalizers.Replace("ㅋ", "하하"), oracle.normalizers.Replace("ㅋ", "하하")),
    (normalizers.Replace(Regex(r"[가-힣]+"), "x"), oracle.normalizers.Replace(oracle.Regex(r"[가-힣]+"), "x")),
    (normalizers.Strip(), oracle.normalizers.Strip()),
    (normalizers.Strip(left=False), oracle.normalizers.Strip(left=False)),
    (normalizers.Strip(right=False), oracle.normalizers.Strip(right=False)),
    (normalizers.StripAccents(), oracle.normalizers.StripAccents()),
    *(
        (normalizers.BertNormalizer(*flags), oracle.normalizers.BertNormalizer(*flags))
        for flags in [
            (True, True, None, True),
            (True, True, False, False),
            (False, True, None, True),
            (True, False, True, False),
            (False, False, False, True),
        ]
    ),
    (normalizers.Nmt(), oracle.normalizers.Nmt()),
    (normalizers.Prepend(), oracle.normalizers.Prepend("▁")),
    (normalizers.Prepend(""), oracle.normalizers.Prepend("")),
    (normalizers.Prepend("가나"), oracle.normalizers.Prepend("가나")),
    (normalizers.ByteLevel(), oracle.normalizers.ByteLevel()),
    (
        normalizers.Sequence([normalizers.Strip(), normalizers.NFD(), normalizers.StripAccents(), normalizers.Nmt()]),
        oracle.normalizers.Sequence(
            [
                oracle.normalizers.Strip(),
                oracle.normalizers.NFD(),
                oracle.normalizers.StripAccents(),
                oracle.normalizers.Nmt(),
            ]
        ),
    ),
    (
        normalizers.Sequence([normalizers.NFD(), normalizers.Lowercase(), normalizers.NFC()]),
        oracle.normalizers.Sequence(
            [oracle.normalizers.NFD(), oracle.normalizers.Lowercase(), oracle.normalizers.NFC()]
        ),
    ),
]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
@given(text=texts)
def test_text_is_normalized_as_tokenizers_does(ours, theirs, text):
    assert ours.normalize_str(text) == theirs.normalize_str(text)


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
@given(text=texts)
def test_characters_come_from_where_tokenizers_says(ours, theirs, text):
    everything_unknown = oracle.Tokenizer(oracle.models.BPE({"?": 0}, [], unk_token="?"))
    everything_unknown.normalizer = theirs
    aligned = ours.apply(normalizers.AlignedText.of(text))
    assert list(aligned.origins) == everything_unknown.encode(text).offsets


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        pair for pair in PAIRS
        if isinstance(pair[0], normalizers.StripAccents | normalizers.Nmt | normalizers.BertNormalizer)
    ],
)  # fmt: skip
def test_every_code_point_is_normalized_as_tokenizers_does(ours, theirs):
    for start in range(0, 0x110000, 0x1000):
        text = "a".join([chr(c) for c in range(start, start + 0x1000) if not 0xD800 <= c <= 0xDFFF])
        assert ours.normalize_str(text) == theirs.normalize_str(text)


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_a_hundred_thousand_combining_marks_are_put_in_order(form):
    marks = "\u0301\u0323\u0345\u0334" * 25_000
    expected = "\u0334" * 25_000 + "\u0323" * 25_000 + "\u0301" * 25_000 + "\u0345" * 25_000
    assert getattr(normalizers, form)().normalize_str("q" + marks) == "q" + expected


def test_hangul_composes_and_decomposes_over_the_whole_block():
    syllables = "".join(map(chr, range(0xAC00, 0xD7A4)))
    decomposed = normalizers.NFD().normalize_str(syllables)
    assert len(decomposed) == 11_172 * 3 - 399
    assert normalizers.NFC().normalize_str(decomposed) == syllables


@pytest.mark.parametrize("ours", [ours for ours, _ in PAIRS])
def test_a_lone_surrogate_is_an_input_error(ours):
    with pytest.raises(InputError, match=r"U\+DC80"):
        ours.normalize_str("가\udc80")


def test_a_broken_pattern_is_refused_at_once():
    with pytest.raises(InputError, match="not a regular expression"):
        Regex("(가")


def test_a_pattern_without_end_is_stopped_within_a_second():
    with pytest.raises(LimitError, match=r"took longer than 0\.5 s on a text of 201 characters"):
        normalizers.Replace(Regex(r"(a|aa)+$"), "").normalize_str("a" * 200 + "b")


def test_a_sane_pattern_has_the_time_a_long_text_takes():
    text = "가나 다라 " * 100_000
    assert normalizers.Replace(Regex(r"[ \t]+(?=다)"), "").normalize_str(text) == text.replace(" 다", "다")


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_normalizers_are_values(ours, theirs):
    assert copy.deepcopy(ours) == ours
    assert hash(copy.deepcopy(ours)) == hash(ours)
    assert type(ours).__name__ in repr(ours)


@pytest.mark.parametrize("pattern", ["a*", "^", "$", "ㅋ*", "(?=B)"])
@pytest.mark.parametrize("text", ["", "a", "aab ㅋㅋB", "baa", "aaㅋa"])
def test_matches_of_nothing_are_replaced_as_in_tokenizers(pattern, text):
    ours = normalizers.Replace(Regex(pattern), "한x")
    theirs = oracle.normalizers.Replace(oracle.Regex(pattern), "한x")
    assert ours.normalize_str(text) == theirs.normalize_str(text)
    everything_unknown = oracle.Tokenizer(oracle.models.BPE({"?": 0}, [], unk_token="?"))
    everything_unknown.normalizer = theirs
    made = Tokenizer.from_str(everything_unknown.to_str())
    assert made.encode(text).offsets == everything_unknown.encode(text).offsets


def test_text_that_one_normalizer_empties_stays_empty_in_the_next():
    both = normalizers.Sequence([normalizers.Replace(Regex(".+"), ""), normalizers.Replace(Regex("^"), "x")])
    assert both.normalize_str("가나") == ""


def test_a_pattern_that_calls_itself_without_end_is_a_limit_error():
    with pytest.raises(LimitError, match=r"the pattern (took longer|needs too much memory)"):
        normalizers.Replace(Regex("(?R)"), "").normalize_str("가나")
