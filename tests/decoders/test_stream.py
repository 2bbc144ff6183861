"""Decoding as ids come."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizer_samples import KOREAN_LINES, byte_level_json, texts

from textpipe import Tokenizer
from textpipe.decoders import ByteLevel, DecodeStream


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer.from_str(byte_level_json())


def streamed(tokenizer, ids, prompt=(), **options):
    stream = DecodeStream(prompt, **options)
    return [stream.step(tokenizer, number) or "" for number in ids] + [stream.finish()]


@given(text=texts)
def test_the_parts_joined_are_the_text_and_none_shows_a_broken_character(text):
    tokenizer = Tokenizer.from_str(byte_level_json())
    parts = streamed(tokenizer, tokenizer.encode(text).ids)
    assert "".join(parts) == text
    assert sum(part.count("\ufffd") for part in parts) == text.count("\ufffd")


@given(ids=st.lists(st.integers(0, 476), max_size=30))
def test_any_ids_stream_to_what_decode_gives(ids):
    tokenizer = Tokenizer.from_str(byte_level_json())
    assert "".join(streamed(tokenizer, ids)) == tokenizer.decode(ids, skip_special_tokens=False)


def test_a_syllable_of_three_tokens_appears_once_and_whole(tokenizer):
    ids = tokenizer.encode("쀍").ids
    assert len(ids) == 3
    assert streamed(tokenizer, ids) == ["", "", "쀍", ""]


def test_a_character_that_is_never_completed_is_shown_at_the_end(tokenizer):
    assert streamed(tokenizer, tokenizer.encode("쀍").ids[:2]) == ["", "", "\ufffd"]


def test_a_prompt_is_not_shown_but_its_open_character_goes_on(tokenizer):
    first, *rest = tokenizer.encode("쀍").ids
    assert streamed(tokenizer, rest, [first]) == ["", "쀍", ""]


def test_special_tokens_are_left_out_when_asked(tokenizer):
    ids = tokenizer.encode("가<|endoftext|>나").ids
    assert "".join(streamed(tokenizer, ids)) == "가<|endoftext|>나"
    assert "".join(streamed(tokenizer, ids, skip_special_tokens=True)) == "가나"


def test_pieces_outside_the_alphabet_of_bytes_stand_for_themselves():
    assert ByteLevel().decode(["가é", "ìķĪ"]) == "가é안"


def test_real_lines_come_back(tokenizer):
    for line in KOREAN_LINES:
        assert "".join(streamed(tokenizer, tokenizer.encode(line).ids)) == line
