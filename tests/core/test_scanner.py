"""The native grammars against their patterns and against `tokenizers`."""

from __future__ import annotations

import pytest
import regex
import tokenizers as oracle
from hypothesis import given
from tokenizer_samples import KOREAN_LINES, corpus, mixed_text, texts

from textpipe.core import _text
from textpipe.core._native import grammar_step
from textpipe.errors import InputError

GPT2 = regex.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")
GRAMMARS = [
    (_text.GPT2, oracle.pre_tokenizers.ByteLevel(add_prefix_space=False)),
    (_text.WHITESPACE, oracle.pre_tokenizers.Whitespace()),
    (_text.WHITESPACE_SPLIT, oracle.pre_tokenizers.WhitespaceSplit()),
]


def places(grammar, text):
    found = _text.cut(grammar_step(grammar), text)
    return list(zip(found[::2], found[1::2], strict=True))


@given(mixed_text)
def test_gpt2_cuts_where_its_pattern_matches(text):
    assert places(_text.GPT2, text) == [match.span() for match in GPT2.finditer(text)]


@pytest.mark.parametrize(("grammar", "theirs"), GRAMMARS)
@given(text=texts)
def test_each_grammar_cuts_as_tokenizers_does(grammar, theirs, text):
    assert places(grammar, text) == [place for _, place in theirs.pre_tokenize_str(text)]


@given(texts)
def test_gpt2_keeps_every_character(text):
    assert "".join(text[begin:end] for begin, end in places(_text.GPT2, text)) == text


@pytest.mark.parametrize(("grammar", "theirs"), GRAMMARS)
@pytest.mark.parametrize("name", ["ko-reviews.txt.zst", "ko-docs.txt.zst", "en-docs.txt.zst"])
def test_each_grammar_cuts_real_text_as_tokenizers_does(grammar, theirs, name):
    text = corpus(name, 300_000)
    assert places(grammar, text) == [place for _, place in theirs.pre_tokenize_str(text)]


@pytest.mark.parametrize("text", ["", " ", "  ", "'", "'l", "'ll", " 's", "a ", "a  ", " \u3000가", "\u3000가"])
def test_short_texts_are_cut_to_the_end(text):
    assert places(_text.GPT2, text) == [match.span() for match in GPT2.finditer(text)]


def test_every_prefix_of_a_line_is_cut_without_reading_past_it():
    line = KOREAN_LINES[2]
    for size in range(len(line)):
        assert places(_text.GPT2, line[:size]) == [match.span() for match in GPT2.finditer(line[:size])]


def test_a_lone_surrogate_is_an_input_error_that_says_where():
    with pytest.raises(InputError, match=r"U\+D800, at character 1"):
        _text.cut(grammar_step(_text.GPT2), "가\ud800")
