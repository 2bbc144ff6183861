"""The scanners of the GPT-2 grammar against each other: by characters, by windows of bytes, by windows of vectors."""

from __future__ import annotations

import itertools
import random

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st
from tokenizer_samples import corpus, mixed_text

from textpipe.core import _text
from textpipe.core._native import gpt2_steps

GPT2 = regex.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")
STEPS = gpt2_steps()
LINE_STEPS = gpt2_steps(by_lines=True)
PARTS = [
    *(
        "a",
        "Z",
        " ",
        "  ",
        "\n",
        "\t",
        "\r\n",
        "'",
        "'s",
        "'re",
        "'ll",
        "'v",
        "'t",
        "1",
        "23",
        ".",
        "!?",
        "\x00",
        "\x1f",
        "\x7f",
    ),
    *(
        "가",
        "나",
        "힣",
        "힗",
        "히",
        "\u1112\u1175\u11c2",
        "ㅋ",
        "ㄱ",
        "ㅠ",
        "漢",
        "龥",
        "あ",
        "é",
        "ß",
        "½",
        "٣",
        "Ⅷ",
        "😀",
        "👨\u200d👩",
    ),
    *(
        "\u00a0",
        "\u0085",
        "\u3000",
        "\u2028",
        "\u200b",
        "\ufeff",
        "\ua000",
        "\uabc0",
        "\ud7b0",
        "\U00020000",
        "\U0001d7ce",
    ),
    *("word" * 5, "가나다라" * 6, "=" * 30, " " * 40, "1" * 33),
]


def cuts(step, text):
    return _text.cut(step, text)


def expected(text):
    return [place for match in GPT2.finditer(text) for place in match.span()]


@pytest.mark.parametrize("name", sorted(STEPS))
@given(text=mixed_text | st.lists(st.sampled_from(PARTS), max_size=60).map("".join))
def test_each_scanner_cuts_where_the_pattern_matches(name, text):
    assert cuts(STEPS[name], text) == expected(text)


@pytest.mark.parametrize("name", sorted(STEPS))
def test_each_scanner_cuts_alike_at_every_distance_from_the_window_s_end(name):
    for part, ahead in itertools.product(PARTS, range(56, 70)):
        for before in ("a", " ", "'", "가"):
            text = (before * ahead)[:ahead] + part + "b 'll c"
            assert cuts(STEPS[name], text) == expected(text), (part, ahead, before)


@pytest.mark.parametrize("name", sorted(STEPS))
def test_each_scanner_knows_every_character(name):
    characters = [chr(c) for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
    for before, after in (("a", "1"), ("!", " ")):
        for start in range(0, len(characters), 0x8000):
            text = "".join(before + c + after for c in characters[start : start + 0x8000])
            assert cuts(STEPS[name], text) == cuts(STEPS["characters"], text)


@pytest.mark.parametrize("name", sorted(set(STEPS) - {"characters"}))
@pytest.mark.parametrize("source", ["ko-reviews.txt.zst", "ko-docs.txt.zst", "en-docs.txt.zst"])
def test_each_scanner_cuts_real_text_alike(name, source):
    text = corpus(source, 1_500_000)
    assert cuts(STEPS[name], text) == cuts(STEPS["characters"], text)


def test_scanners_agree_on_random_mixtures():
    chance = random.Random(7)
    for _ in range(3000):
        text = "".join(chance.choices(PARTS[: chance.randint(1, len(PARTS))], k=chance.randint(0, 50)))
        assert len({tuple(cuts(step, text)) for step in STEPS.values()}) == 1, text


# ---- every line by itself


def expected_by_lines(text):
    lines = regex.finditer(r"[^\n]*\n|[^\n]+", text)
    return [line.start() + place for line in lines for place in expected(line[0])]


@pytest.mark.parametrize("name", sorted(LINE_STEPS))
@given(text=mixed_text | st.lists(st.sampled_from([*PARTS, "\n", "\n"]), max_size=60).map("".join))
def test_each_line_is_cut_as_a_text_of_its_own(name, text):
    assert cuts(LINE_STEPS[name], text) == expected_by_lines(text)


@pytest.mark.parametrize("name", sorted(LINE_STEPS))
def test_lines_are_cut_alike_at_every_distance_from_the_window_s_end(name):
    for part, ahead in itertools.product(["\n", " \n ", "\n\n", "\r\n\t", "\n'll", "\u3000\n\u3000"], range(56, 140)):
        for before in ("a", " ", "\n", "가"):
            text = (before * ahead)[:ahead] + part + "b 'll c"
            assert cuts(LINE_STEPS[name], text) == expected_by_lines(text), (part, ahead, before)


@pytest.mark.parametrize("name", sorted(LINE_STEPS))
@pytest.mark.parametrize("source", ["ko-reviews.txt.zst", "en-docs.txt.zst"])
def test_lines_of_real_text_are_cut_as_texts(name, source):
    text = corpus(source, 500_000)
    assert cuts(LINE_STEPS[name], text) == expected_by_lines(text)
