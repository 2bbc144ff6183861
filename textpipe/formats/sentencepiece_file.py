"""The .model file of sentencepiece as plain values.

What enters: the bytes of a ``ModelProto``, or a :class:`SentencePieceFile`. What leaves: the other. Promises: what
decides the pieces of a text is read and written exactly, scores to the last bit; what only tells how the model was
trained is passed over; a broken file is a ``FormatError`` with field and byte, in well under a second.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field
from typing import NamedTuple

from textpipe.errors import FormatError, LimitError
from textpipe.formats.protobuf import BYTES, VARINT, Message, write_bool, write_bytes, write_float, write_number
from textpipe.limits import Limits

__all__ = ["KINDS", "MODEL_TYPES", "NormalizerSpec", "PieceRow", "SentencePieceFile", "TrainerSpec", "read", "write"]

KINDS = {1: "normal", 2: "unknown", 3: "control", 4: "user_defined", 5: "unused", 6: "byte"}
MODEL_TYPES = {1: "unigram", 2: "bpe", 3: "word", 4: "char"}


class PieceRow(NamedTuple):
    """One piece: its text, its score and one of :data:`KINDS`."""

    text: str
    score: float
    kind: str


@dataclass(frozen=True, slots=True)
class NormalizerSpec:
    """How text is rewritten before pieces are looked for, or after they are put together."""

    name: str = ""
    charsmap: bytes = b""
    add_dummy_prefix: bool = True
    remove_extra_whitespaces: bool = True
    escape_whitespaces: bool = True


@dataclass(frozen=True, slots=True)
class TrainerSpec:
    """Those settings of the training that encoding and decoding follow."""

    model_type: str = "unigram"
    byte_fallback: bool = False
    whitespace_as_suffix: bool = False
    unk_piece: str = "<unk>"
    bos_piece: str = "<s>"
    eos_piece: str = "</s>"
    pad_piece: str = "<pad>"
    unk_surface: str = " \u2047 "


@dataclass(frozen=True, slots=True)
class SentencePieceFile:
    """What a .model file holds."""

    pieces: list[PieceRow]
    trainer: TrainerSpec = field(default_factory=TrainerSpec)
    normalizer: NormalizerSpec = field(default_factory=NormalizerSpec)
    denormalizer: NormalizerSpec | None = None


# Fields of the messages, by name of the attribute. Source: sentencepiece_model.proto of sentencepiece 0.2.3.
_TRAINER_FLAGS = {"byte_fallback": 35, "whitespace_as_suffix": 24}
_TRAINER_TEXTS = {"unk_piece": 45, "bos_piece": 46, "eos_piece": 47, "pad_piece": 48, "unk_surface": 44}
_MODEL_TYPE = 3
_NORMALIZER_FLAGS = {"add_dummy_prefix": 3, "remove_extra_whitespaces": 4, "escape_whitespaces": 5}


def read(data: bytes, *, path: str, limits: Limits) -> SentencePieceFile:
    """Read the bytes of a .model file; ``path`` names it in messages.

    Raises
    ------
    FormatError
        when they are not one.
    LimitError
        when it holds more than the caps allow.
    """
    message = Message(data, path, "ModelProto")
    rows: list[PieceRow] = []
    specs: dict[int, Message] = {}
    for number, kind, begin, end in message.fields():
        if number == 1:
            if kind != BYTES:
                message.fail("a piece is no message", begin)
            if len(rows) == limits.vocab_size:
                raise LimitError("too many pieces", where=path, allowed=f"at most {limits.vocab_size}")
            rows.append(_read_piece(Message(data, path, f"pieces[{len(rows)}]", begin, end), limits))
        elif number in (2, 3, 5):
            if kind != BYTES:
                message.fail("a specification is no message", begin)
            specs[number] = Message(data, path, _SPECS[number], begin, end)
    if not rows:
        raise FormatError("holds no pieces", path=path, field="pieces", hint="is this a .model file of sentencepiece?")
    return SentencePieceFile(
        rows,
        _read_trainer(specs[2]) if 2 in specs else TrainerSpec(),
        _read_normalizer(specs[3], limits) if 3 in specs else NormalizerSpec(),
        _read_normalizer(specs[5], limits) if 5 in specs else None,
    )


_SPECS = {2: "trainer_spec", 3: "normalizer_spec", 5: "denormalizer_spec"}


def _read_piece(message: Message, limits: Limits) -> PieceRow:
    data, begin = message.data, message.begin
    text, score, kind = b"", 0.0, 1
    for field_number, wire, at, stop in message.fields():
        if field_number == 1 and wire == BYTES:
            text = data[at:stop]
        elif field_number == 2 and stop - at == 4 and wire != BYTES:
            (score,) = struct.unpack_from("<f", data, at)
        elif field_number == 3 and wire == VARINT:
            kind = message.number(at)[0]
        elif field_number <= 3:
            message.fail(f"field {field_number} has the wrong wire type {wire}", at)
    if not text:
        message.fail("has no text", begin)
    if len(text) > limits.piece_bytes:
        message.fail(f"has {len(text)} bytes, where {limits.piece_bytes} are allowed", begin)
    if not math.isfinite(score):
        message.fail(f"has the score {score}", begin)
    if kind not in KINDS:
        message.fail(f"is of the unknown kind {kind}", begin)
    try:
        return PieceRow(text.decode(), score, KINDS[kind])
    except UnicodeDecodeError:
        return message.fail("has a text that is not UTF-8", begin)


def _read_trainer(message: Message) -> TrainerSpec:
    values = message.values()
    found: dict[str, bool | str] = {}
    for name, number in _TRAINER_FLAGS.items():
        if number in values:
            found[name] = _flag(message, name, values[number][-1])
    for name, number in _TRAINER_TEXTS.items():
        if number in values:
            found[name] = _text(message, name, values[number][-1])
    for name in ("unk_piece", "bos_piece", "eos_piece", "pad_piece"):
        if found.get(name) == "":
            del found[name]  # sentencepiece takes its default for an empty one
    model_type = values.get(_MODEL_TYPE, [1])[-1]
    if not isinstance(model_type, int) or model_type not in MODEL_TYPES:
        message.fail(f"model_type is {model_type!r}", message.begin)
    return TrainerSpec(model_type=MODEL_TYPES[model_type], **found)  # type: ignore[arg-type]


def _read_normalizer(message: Message, limits: Limits) -> NormalizerSpec:
    values = message.values()
    charsmap = values.get(2, [b""])[-1]
    if not isinstance(charsmap, bytes):
        message.fail("precompiled_charsmap holds no bytes", message.begin)
    if len(charsmap) > limits.charsmap_bytes:
        message.fail(f"precompiled_charsmap has {len(charsmap)} bytes, over {limits.charsmap_bytes}", message.begin)
    flags = {
        name: _flag(message, name, values[number][-1]) for name, number in _NORMALIZER_FLAGS.items() if number in values
    }
    return NormalizerSpec(_text(message, "name", values.get(1, [b""])[-1]), charsmap, **flags)


def _flag(message: Message, name: str, value: int | bytes) -> bool:
    if not isinstance(value, int):
        message.fail(f"{name} is neither yes nor no", message.begin)
    return value != 0


def _text(message: Message, name: str, value: int | bytes) -> str:
    try:
        if isinstance(value, bytes):
            return value.decode()
    except UnicodeDecodeError:
        pass
    return message.fail(f"{name} is no text in UTF-8", message.begin)


def write(file: SentencePieceFile) -> bytes:
    """The bytes of a .model file; what sentencepiece reads by default is left out, as it does itself."""
    kinds = {name: number for number, name in KINDS.items()}
    parts = []
    for row in file.pieces:
        piece = write_bytes(1, row.text) + write_float(2, row.score)
        parts.append(write_bytes(1, piece if row.kind == "normal" else piece + write_number(3, kinds[row.kind])))
    parts.append(write_bytes(2, _written_trainer(file.trainer, len(file.pieces), file.pieces)))
    parts.append(write_bytes(3, _written_normalizer(file.normalizer)))
    if file.denormalizer is not None:
        parts.append(write_bytes(5, _written_normalizer(file.denormalizer)))
    return b"".join(parts)


def _written_trainer(spec: TrainerSpec, vocab_size: int, pieces: list[PieceRow]) -> bytes:
    types = {name: number for number, name in MODEL_TYPES.items()}
    ids = {row.text: number for number, row in enumerate(pieces)}
    data = write_number(_MODEL_TYPE, types[spec.model_type]) + write_number(4, vocab_size)
    data += b"".join(write_bool(number, getattr(spec, name)) for name, number in _TRAINER_FLAGS.items())
    for number, piece in zip((40, 41, 42, 43), ("unk_piece", "bos_piece", "eos_piece", "pad_piece"), strict=True):
        data += write_number(number, ids.get(getattr(spec, piece), -1))
    return data + b"".join(write_bytes(number, getattr(spec, name)) for name, number in _TRAINER_TEXTS.items())


def _written_normalizer(spec: NormalizerSpec) -> bytes:
    data = write_bytes(1, spec.name) if spec.name else b""
    data += write_bytes(2, spec.charsmap) if spec.charsmap else b""
    return data + b"".join(write_bool(number, getattr(spec, name)) for name, number in _NORMALIZER_FLAGS.items())
