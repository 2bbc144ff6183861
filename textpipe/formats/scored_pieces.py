"""The parts of a tokenizer.json that have to do with sentencepiece.

What enters: the objects that stand for them. What leaves: Unigram and SentencePiece models, charsmap normalizers, the
decoder. Promises: a fault is named with its field; no piece or charsmap is above the caps.
"""

from __future__ import annotations

import base64
import binascii
import math
from typing import Any

from textpipe import decoders, normalizers
from textpipe.formats.fields import Field, read_vocab
from textpipe.limits import Limits
from textpipe.models import SentencePiece, Unigram

__all__ = ["decoder", "normalizer", "precompiled", "sentence_piece", "unigram"]

_NAMES = ("unk_piece", "bos_piece", "eos_piece", "pad_piece")
_FLAGS = ("add_dummy_prefix", "remove_extra_whitespaces", "escape_whitespaces", "whitespace_as_suffix")


def unigram(field: Field, limits: Limits) -> Unigram:
    """A Unigram model."""
    field.known("type", "unk_id", "vocab", "byte_fallback")
    rows = _rows(field.need("vocab"), limits, 2)
    unk_id = field.get("unk_id", int, None, nullable=True)
    return Unigram(((piece, score) for piece, score in rows), unk_id, field.get("byte_fallback", bool, False))


def sentence_piece(field: Field, limits: Limits) -> SentencePiece:
    """A SentencePiece model."""
    field.only("type", "algorithm", "byte_fallback", *_NAMES, "vocab", "pieces")
    rows = _rows(field.need("pieces"), limits, 3)
    names = {name: field.get(name, str) for name in _NAMES}
    vocab = None if field.part("vocab", required=False) is None else read_vocab(field.need("vocab"), limits)
    byte_fallback = field.get("byte_fallback", bool)
    return SentencePiece(rows, field.get("algorithm", str), byte_fallback=byte_fallback, vocab=vocab, **names)


def _rows(field: Field, limits: Limits, width: int) -> list[Any]:
    rows = field.of(list)
    if len(rows) > limits.vocab_size:
        field.fail(f"has {len(rows)} pieces", allowed=f"at most {limits.vocab_size}")
    for number, row in enumerate(rows):
        good = type(row) is list and len(row) == width and type(row[0]) is str and type(row[-1]) in (str, int, float)
        if not good or type(row[1]) not in (int, float) or (width == 3 and type(row[2]) is not str):
            shown = '["piece", -1.5]' if width == 2 else '["piece", -1.5, "normal"]'
            Field(row, f"{field.name}[{number}]", field.path).fail("is no piece", allowed=shown)
        if not math.isfinite(row[1]):
            Field(row, f"{field.name}[{number}]", field.path).fail(f"has the score {row[1]}")
        if len(row[0]) * 4 > limits.piece_bytes and len(row[0].encode("utf-8", "replace")) > limits.piece_bytes:
            field.fail(f"has a piece of {len(row[0])} characters", allowed=f"at most {limits.piece_bytes} bytes")
    return list(map(tuple, rows))


def _charsmap(field: Field) -> bytes:
    text = field.get("precompiled_charsmap", str)
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return field.need("precompiled_charsmap").fail("is not base 64")


def precompiled(field: Field) -> normalizers.Precompiled:
    """The normalizer Precompiled."""
    field.known("type", "precompiled_charsmap")
    return normalizers.Precompiled(_charsmap(field))


def normalizer(field: Field) -> normalizers.SentencePiece:
    """The normalizer SentencePiece."""
    field.only("type", "precompiled_charsmap", *_FLAGS, "kept", "name")
    return normalizers.SentencePiece(
        _charsmap(field),
        **{name: field.get(name, bool) for name in _FLAGS},
        kept=[text.of(str) for text in field.need("kept").items()],
        name=field.get("name", str),
    )


def decoder(field: Field) -> decoders.SentencePiece:
    """The decoder SentencePiece."""
    field.only("type", "strip_spaces", "byte_fallback", "controls", "unk_piece", "unk_surface", "denormalizer")
    inner = field.part("denormalizer")
    return decoders.SentencePiece(
        field.get("strip_spaces", str),
        byte_fallback=field.get("byte_fallback", bool),
        controls=[text.of(str) for text in field.need("controls").items()],
        unk_piece=field.get("unk_piece", str),
        unk_surface=field.get("unk_surface", str),
        denormalizer=None if inner is None or inner.value is None else normalizer(inner),
    )
