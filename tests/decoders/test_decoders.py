"""Decoders against `tokenizers`: the text of any pieces."""

from __future__ import annotations

import copy

import pytest
import tokenizers as oracle
from hypothesis import given
from hypothesis import strategies as st
from tokenizer_samples import texts

from textpipe import Tokenizer, decoders
from textpipe.errors import InputError
from textpipe.models import BPE
from textpipe.stages.pattern import Regex

theirs_of = oracle.decoders
PAIRS = [
    (decoders.ByteLevel(), theirs_of.ByteLevel()),
    (decoders.WordPiece(), theirs_of.WordPiece()),
    (decoders.WordPiece("가", cleanup=False), theirs_of.WordPiece("가", cleanup=False)),
    *((decoders.Metaspace("▁", scheme), theirs_of.Metaspace("▁", scheme)) for scheme in ("always", "first", "never")),
    (decoders.BPEDecoder(), theirs_of.BPEDecoder()),
    (decoders.BPEDecoder(""), theirs_of.BPEDecoder("")),
    (decoders.ByteFallback(), theirs_of.ByteFallback()),
    (decoders.Fuse(), theirs_of.Fuse()),
    (decoders.Replace("▁", "가나"), theirs_of.Replace("▁", "가나")),
    (decoders.Replace(Regex("[가-힣]+"), ""), theirs_of.Replace(oracle.Regex("[가-힣]+"), "")),
    (decoders.CTC(), theirs_of.CTC()),
    (decoders.CTC("가", "##", cleanup=False), theirs_of.CTC("가", "##", cleanup=False)),
    (
        decoders.Sequence(
            [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
        ),
        theirs_of.Sequence(
            [theirs_of.Replace("▁", " "), theirs_of.ByteFallback(), theirs_of.Fuse(), theirs_of.Strip(" ", 1, 0)]
        ),
    ),
    (decoders.Sequence([]), theirs_of.Sequence([])),
]
ODD = "##어 한국 ▁세 상 ▁ </w> 말</w> <pad> | <0xED> <0x95> <0x9c> <0x+F> <0xGG> ! n't 's . 가 íķľ Ġ \u1112\u1161\u11ab"
pieces = st.one_of(st.sampled_from([*ODD.split(" "), "", " do not", " ' ", "<0x F>", "<0x9C >"]), texts)


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
@given(tokens=st.lists(pieces, max_size=8))
def test_text_is_that_of_tokenizers(ours, theirs, tokens):
    assert ours.decode(tokens) == theirs.decode(tokens)


@given(
    body=st.text(alphabet="가나 x", max_size=6), left=st.integers(0, 3), right=st.integers(0, 3),
)  # fmt: skip
def test_a_character_is_stripped_as_in_tokenizers(body, left, right):
    token = f"x{body}x".replace("x", " x ")  # so long that the two ends never meet, where tokenizers panics
    ours, theirs = decoders.Strip(" ", left, right), theirs_of.Strip(" ", left, right)
    assert ours.decode([token, token]) == theirs.decode([token, token])


def test_a_piece_of_nothing_else_is_stripped_to_nothing():
    assert decoders.Strip("가", 5, 5).decode(["가가", "", "가나가"]) == "나"


@pytest.mark.parametrize(("ours", "_theirs"), PAIRS)
def test_decoders_are_values(ours, _theirs):
    assert copy.deepcopy(ours) == ours
    assert hash(copy.deepcopy(ours)) == hash(ours)
    assert type(ours).__name__ in repr(ours)


@pytest.mark.parametrize(
    "make", [lambda: decoders.Strip("ab"), lambda: decoders.Strip(" ", -1), lambda: decoders.Metaspace("")]
)
def test_an_argument_that_means_nothing_is_refused(make):
    with pytest.raises(InputError):
        make()


def test_a_byte_piece_stands_for_its_byte():
    tokenizer = Tokenizer(BPE({"<0xED>": 0, "한": 1}))
    tokenizer.decoder = decoders.ByteFallback()
    assert [tokenizer.id_to_bytes(number) for number in (0, 1)] == [b"\xed", "한".encode()]


LLAMA = decoders.Sequence(
    [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
)
BYTES = [
    (decoders.WordPiece(), "##어", "어".encode()),
    (decoders.WordPiece(), "한국", " 한국".encode()),
    (decoders.WordPiece(), "!", b"!"),
    (decoders.BPEDecoder(), "안녕</w>", "안녕 ".encode()),
    (decoders.Metaspace(), "▁안녕", " 안녕".encode()),
    (decoders.ByteFallback(), "<0xEC>", b"\xec"),
    (LLAMA, "▁안녕", " 안녕".encode()),
    (LLAMA, "<0xEC>", b"\xec"),
    (LLAMA, "<0x41>", b"A"),
    (decoders.Sequence([LLAMA]), "<0xEC>", b"\xec"),
    (decoders.Sequence([decoders.ByteLevel(), decoders.Fuse()]), "ìķ", b"\xec\x95"),
]


@pytest.mark.parametrize(("decoder", "piece", "data"), BYTES, ids=str)
def test_a_piece_stands_for_the_bytes_it_adds_to_a_text(decoder, piece, data):
    assert decoder.bytes_of(piece) == data
