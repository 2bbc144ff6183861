"""Pre-tokenizers against `tokenizers`: the words and their places."""

from __future__ import annotations

import copy
import itertools

import pytest
import tokenizers as oracle
from hypothesis import given
from tokenizer_samples import texts

from textpipe import pre_tokenizers as ours_of
from textpipe.errors import InputError
from textpipe.pre_tokenizers.split import BEHAVIORS
from textpipe.stages.pattern import Regex

theirs_of = oracle.pre_tokenizers
PAIRS = [
    (ours_of.ByteLevel(), theirs_of.ByteLevel()),
    (ours_of.ByteLevel(add_prefix_space=False), theirs_of.ByteLevel(add_prefix_space=False)),
    (ours_of.ByteLevel(use_regex=False), theirs_of.ByteLevel(use_regex=False)),
    (ours_of.Whitespace(), theirs_of.Whitespace()),
    (ours_of.WhitespaceSplit(), theirs_of.WhitespaceSplit()),
    (ours_of.Digits(), theirs_of.Digits()),
    (ours_of.Digits(individual_digits=True), theirs_of.Digits(individual_digits=True)),
    *(
        (ours_of.Split(ours, behavior, invert), theirs_of.Split(theirs, behavior, invert))
        for (ours, theirs), behavior, invert in itertools.product(
            [(" ", " "), (Regex(r"[가-힣]"), oracle.Regex(r"[가-힣]"))], BEHAVIORS, [False, True]
        )
    ),
    *(
        (ours_of.Metaspace(mark, scheme, split), theirs_of.Metaspace(mark, scheme, split))
        for mark, scheme, split in [
            ("▁", "always", True),
            ("▁", "first", True),
            ("▁", "never", True),
            ("_", "always", False),
            ("가", "never", False),
            ("가", "always", True),
        ]
    ),
    *((ours_of.Punctuation(behavior), theirs_of.Punctuation(behavior)) for behavior in BEHAVIORS),
    (ours_of.BertPreTokenizer(), theirs_of.BertPreTokenizer()),
    (ours_of.CharDelimiterSplit("가"), theirs_of.CharDelimiterSplit("가")),
    (ours_of.FixedLength(), theirs_of.FixedLength()),
    (ours_of.FixedLength(1), theirs_of.FixedLength(1)),
    (ours_of.UnicodeScripts(), theirs_of.UnicodeScripts()),
    (
        ours_of.Sequence([ours_of.UnicodeScripts(), ours_of.FixedLength(3), ours_of.Metaspace("▁", "first")]),
        theirs_of.Sequence([theirs_of.UnicodeScripts(), theirs_of.FixedLength(3), theirs_of.Metaspace("▁", "first")]),
    ),
    (
        ours_of.Sequence([ours_of.WhitespaceSplit(), ours_of.Digits(), ours_of.ByteLevel(use_regex=False)]),
        theirs_of.Sequence([theirs_of.WhitespaceSplit(), theirs_of.Digits(), theirs_of.ByteLevel(use_regex=False)]),
    ),
]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
@given(text=texts)
def test_words_and_places_are_those_of_tokenizers(ours, theirs, text):
    assert ours.pre_tokenize_str(text) == theirs.pre_tokenize_str(text)


@pytest.mark.parametrize("name", ["BertPreTokenizer", "Punctuation", "UnicodeScripts"])
def test_every_code_point_is_cut_as_in_tokenizers(name):
    ours, theirs = getattr(ours_of, name)(), getattr(theirs_of, name)()
    for start in range(0, 0x110000, 0x1000):
        text = "한".join([chr(c) for c in range(start, start + 0x1000) if not 0xD800 <= c <= 0xDFFF])
        assert ours.pre_tokenize_str(text) == theirs.pre_tokenize_str(text)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ours_of.Metaspace("▁▁"), lambda: ours_of.Metaspace("▁", "firs"), lambda: ours_of.FixedLength(0),
        lambda: ours_of.CharDelimiterSplit(""), lambda: ours_of.Punctuation("isolate"),
    ],
)  # fmt: skip
def test_an_argument_that_means_nothing_is_refused(make):
    with pytest.raises(InputError):
        make()


def test_the_byte_alphabet_is_that_of_tokenizers():
    assert sorted(ours_of.ByteLevel.alphabet()) == sorted(theirs_of.ByteLevel.alphabet())


def test_an_unknown_behavior_is_refused_with_the_nearest_name():
    with pytest.raises(InputError, match='did you mean "isolated"'):
        ours_of.Split(" ", "isolate")


def test_the_native_steps_of_a_sequence_are_those_of_its_parts():
    parts = [ours_of.Whitespace(), ours_of.ByteLevel(add_prefix_space=True, use_regex=False)]
    steps = [step for part in parts for step in part.native_cut().steps]
    assert ours_of.Sequence(parts).native_cut() == ours_of.NativeCut(tuple(steps), byte_level=True)
    assert len(steps) == 2
    assert ours_of.Sequence([ours_of.Digits(), ours_of.Split(Regex("(a)b"), "isolated")]).native_cut() is None


def test_what_follows_a_byte_level_step_works_on_the_spelled_bytes():
    parts = [ours_of.ByteLevel(add_prefix_space=False), ours_of.Digits(), ours_of.Punctuation()]
    theirs = [theirs_of.ByteLevel(add_prefix_space=False), theirs_of.Digits(), theirs_of.Punctuation()]
    ours = ours_of.Sequence(parts)
    assert not ours.native_cut().byte_level
    assert ours.pre_tokenize_str("한글 12!") == theirs_of.Sequence(theirs).pre_tokenize_str("한글 12!")


@pytest.mark.parametrize(("ours", "_theirs"), PAIRS)
def test_pre_tokenizers_are_values(ours, _theirs):
    assert copy.deepcopy(ours) == ours
    assert hash(copy.deepcopy(ours)) == hash(ours)
    assert repr(ours).startswith(type(ours).__name__ + "(")
