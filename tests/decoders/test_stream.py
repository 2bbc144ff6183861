"""Decoding as ids come."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import tokenizers as oracle
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizer_samples import KOREAN_LINES, byte_level_json, texts

import textpipe
from textpipe import Tokenizer
from textpipe.decoders import ByteLevel, DecodeStream
from textpipe.errors import InputError, StateError


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


WORDS = [
    "?", "<s>", "▁한국", "어", "##를", "를</w>", "<0xED>", "<0x95>", "<0x9C>", " 가", "ㅋㅋ나", "ㅋ나", "|", "<pad>",
    "!", " .", "í", "ķ", "ľ", "Ġ", "a", "n't", " do not", "", "<0x41>",
]  # fmt: skip
DECODERS = {
    "none": lambda parts: None,
    "ByteLevel": lambda parts: parts.ByteLevel(),
    "WordPiece": lambda parts: parts.WordPiece(),
    "WordPiece without cleanup": lambda parts: parts.WordPiece(cleanup=False),
    "Metaspace": lambda parts: parts.Metaspace(),
    "BPEDecoder": lambda parts: parts.BPEDecoder(),
    "CTC": lambda parts: parts.CTC(),
    "Fuse": lambda parts: parts.Fuse(),
    "Strip": lambda parts: parts.Strip("ㅋ", 1, 0),
    "ByteFallback": lambda parts: parts.ByteFallback(),
    "Replace": lambda parts: parts.Replace("▁", " "),
    "as Llama 2": lambda parts: parts.Sequence(
        [parts.Replace("▁", " "), parts.ByteFallback(), parts.Fuse(), parts.Strip(" ", 1, 0)]
    ),
}


def stepped(stream, tokenizer, steps, error):
    """What each step gives, up to the first that fails."""
    found = []
    for ids in steps:
        try:
            found.append(stream.step(tokenizer, ids))
        except error:
            return [*found, "fails"]
        stream = copy.deepcopy(stream) if len(found) == 2 else stream
    return found


@pytest.mark.parametrize("name", DECODERS)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_every_decoder_streams_as_in_tokenizers(name, data):
    one = st.integers(0, len(WORDS) + 1)  # the last two have no piece
    steps = data.draw(st.lists(one | st.lists(one, max_size=3), max_size=12))
    prompt, skip = data.draw(st.lists(one, max_size=4)), data.draw(st.booleans())
    found = []
    for package, error in ((textpipe, StateError), (oracle, Exception)):
        tokenizer = package.Tokenizer(package.models.WordLevel({word: n for n, word in enumerate(WORDS)}, "?"))
        tokenizer.add_special_tokens(["<s>"])
        tokenizer.decoder = DECODERS[name](package.decoders)
        kind = package.decoders.DecodeStream
        found.append(stepped(kind(prompt, skip), tokenizer, steps, error))
    assert found[0] == found[1]


def test_text_that_a_decoder_changes_after_it_was_shown_is_said():
    tokenizer = textpipe.Tokenizer(textpipe.models.WordLevel({"a": 0, " .": 1, "": 2}, "a"))
    tokenizer.decoder = textpipe.decoders.Sequence(
        [textpipe.decoders.Fuse(), textpipe.decoders.Replace("a .", "ㅎㅎㅎㅎ")]
    )
    stream = DecodeStream()
    assert stream.step(tokenizer, 0) == "a"
    with pytest.raises(StateError, match="shown already"):
        stream.step(tokenizer, 1)


def test_bytes_that_never_become_a_character_do_not_pile_up(tokenizer):
    byte = tokenizer.token_to_id("í")
    stream = DecodeStream()
    shown = [stream.step(tokenizer, byte) for _ in range(1000)]
    assert "".join(filter(None, shown)) + stream.finish() == "\ufffd" * 1000
    assert max(len(text or "") for text in shown) <= 256


@pytest.mark.parametrize(
    "kind", [np.int64, np.uint16, np.array, list, tuple, np.atleast_1d], ids=lambda kind: kind.__name__
)
def test_ids_of_any_kind_of_whole_number_are_taken_as_in_tokenizers(kind, tokenizer):
    ids = tokenizer.encode("각 나라의 말").ids
    theirs, decoder = oracle.decoders.DecodeStream(), oracle.Tokenizer.from_str(tokenizer.to_str())
    ours = DecodeStream()
    for number in ids:
        given = kind([number]) if kind in (list, tuple) else kind(number)
        assert ours.step(tokenizer, given) == (
            theirs.step(decoder, number if kind is np.array else given)  # an array of no dimension is refused there
        )


def test_a_prompt_may_be_an_array(tokenizer):
    ids = tokenizer.encode("가나다라").ids
    assert streamed(tokenizer, ids[2:], np.array(ids[:2])) == streamed(tokenizer, ids[2:], ids[:2])


@pytest.mark.parametrize("wrong", [None, 1.0, "1", "12", [None], [1, "2"], np.array([1.5]), np.float64(1), object()])
def test_what_is_no_id_is_refused_and_the_stream_goes_on_as_if_it_had_not_come(wrong, tokenizer):
    ids = tokenizer.encode("가").ids
    stream = DecodeStream()
    assert stream.step(tokenizer, ids[0]) is None
    with pytest.raises(InputError, match="is no id") as caught:
        stream.step(tokenizer, wrong)
    assert isinstance(caught.value, TypeError)
    parts = [stream.step(tokenizer, number) or "" for number in ids[1:]]
    assert "".join(parts) + stream.finish() == "가"
    if wrong is not None:
        with pytest.raises(InputError, match="is no id"):
            DecodeStream(wrong)


@pytest.mark.parametrize("wrong", [None, "tokenizer.json", 3])
def test_what_is_no_tokenizer_is_refused(wrong):
    stream = DecodeStream()
    with pytest.raises(InputError, match=r"cannot decode ids.*allowed: a Tokenizer") as caught:
        stream.step(wrong, 1)
    assert isinstance(caught.value, TypeError)
    assert stream.finish() == ""
