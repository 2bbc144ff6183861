"""What the encoder does to texts and words before a model is asked, by a model that makes every byte a token."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textpipe import Tokenizer, decoders
from textpipe.errors import InputError
from textpipe.models import BPE
from textpipe.pre_tokenizers import ByteLevel

ALPHABET = sorted(ByteLevel.alphabet())


def tokenizer_of_bytes(*merged: str) -> Tokenizer:
    """Every byte is a piece; ``merged`` words are merged from the left, character of the alphabet by character."""
    vocab = {character: number for number, character in enumerate(ALPHABET)}
    merges = []
    for word in merged:
        for size in range(2, len(word) + 1):
            if word[:size] not in vocab:
                vocab[word[:size]] = len(vocab)
                merges.append((word[: size - 1], word[size - 1]))
    tokenizer = Tokenizer(BPE(vocab, merges))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


BYTES = tokenizer_of_bytes()


def ids_of(text: str) -> list[int]:
    return BYTES.encode_to_numpy([text])[0].tolist()


def bytes_of(ids: list[int]) -> bytes:
    return BYTES.decode(ids).encode()


# A character of each length, from both ends of what has that length, and from both sides of the surrogates.
TELLING = "a\x00\x7f\x80\xe9\xff\u07ff\u0800가힣\ud7ff\ue000\uffff\U00010000\U0010ffff"


def test_every_code_point_is_spelled_in_utf_8_as_python_spells_it():
    points = [*range(0xD800), *range(0xE000, 0x110000)]
    for width in (0x100, 0x10000, 0x110000):
        text = "".join(chr(point) for point in points if point < width)
        assert bytes_of(ids_of(text)).decode() == text


@given(st.lists(st.sampled_from([*TELLING, "aaaaaaaa", "가나다라마바사", "é가 a"]), max_size=40))
def test_texts_of_every_width_are_spelled_as_python_spells_them(parts):
    text = "".join(parts)
    ids = ids_of(text)
    assert len(ids) == len(text.encode())
    assert bytes_of(ids).decode() == text


def test_a_surrogate_at_any_place_is_found():
    for size, wide in itertools.product((1, 7, 8, 9, 17, 33), ("가", "\U0001f600")):
        for at in range(size):
            text = wide * at + "\ud800" + wide * (size - at - 1)
            with pytest.raises(InputError, match=rf"\b{at}\b"):
                ids_of(text)


WORDS = [
    blank + "".join(characters)
    for blank in ("", " ")
    for size in range(1, 12)
    for characters in ("가나다라마바사아자차카"[:size], "각" * size, "가" * (size - 1) + "각", "각" + "가" * (size - 1))
]
OTHER_WORDS = [
    "가" * 5 + "é",
    "é" * 8,
    "a" * 15,
    "a" * 16,
    "a" * 22,
    "😀" * 5,
    "漢字" * 3,
    "\uffff" * 7,
    "ㅋ" * 7,
    "ㅋ" * 8,
]


def test_words_of_nearly_the_same_characters_are_remembered_apart():
    texts = [*WORDS, *OTHER_WORDS, *(" " + word for word in OTHER_WORDS)]
    tokenizer = tokenizer_of_bytes("ê°Ģ", "ê°ģ", "ìĿ´", "aaaa")
    single = [tokenizer_of_bytes("ê°Ģ", "ê°ģ", "ìĿ´", "aaaa").encode(text).ids for text in texts]
    for _ in range(3):  # asked, remembered, remembered
        ids, offsets = tokenizer.encode_to_numpy(texts)
        assert [row.tolist() for row in np.split(ids, offsets[1:-1])] == single
    everything = "\n".join(texts)
    assert tokenizer.decode(tokenizer.encode_to_numpy([everything])[0].tolist()) == everything


@given(st.lists(st.sampled_from([*WORDS, *OTHER_WORDS]), max_size=60), st.integers(1, 3))
def test_ids_do_not_depend_on_what_was_encoded_before_or_in_the_same_text(words, threads):
    tokenizer = tokenizer_of_bytes("Ġê°Ģ", "ê°ģ", "ìĿ´", "aaaa")
    expected = [number for word in words for number in [*fresh(word), *fresh("\n")]]
    texts = ["".join(word + "\n" for word in words)] * 2
    ids, offsets = tokenizer.encode_to_numpy(texts, threads=threads)
    assert ids[: offsets[1]].tolist() == expected
    assert ids[offsets[1] :].tolist() == expected


FRESH = tokenizer_of_bytes("Ġê°Ģ", "ê°ģ", "ìĿ´", "aaaa")


def fresh(word: str) -> list[int]:
    """The ids of a word by way of places, one call a word."""
    return FRESH.encode(word).ids


def test_places_are_counted_on_beyond_what_two_bytes_hold():
    text = "가a\n" * 30_000
    spans = BYTES.encode_spans_to_numpy([text, "나", text])
    characters = np.repeat(np.arange(len(text), dtype=np.uint32), np.tile([3, 1, 1], 30_000))
    for document in (0, 2):
        place = slice(spans.offsets[document], spans.offsets[document + 1])
        np.testing.assert_array_equal(spans.begins[place], characters)
        np.testing.assert_array_equal(spans.ends[place], characters + 1)
        assert spans.words[place][-1] == 2 * 30_000 - 1
    assert spans.ends[spans.offsets[1] : spans.offsets[2]].tolist() == [1, 1, 1]
