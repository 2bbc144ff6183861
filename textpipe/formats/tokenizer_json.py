"""tokenizer.json, in and out.

What enters: the text of a tokenizer.json, or the parts of a tokenizer. What leaves: the other. Promises: what is
written is byte for byte what `tokenizers` 0.23.3 writes for the same tokenizer; a broken file, whatever is broken in
it, is a :class:`~textpipe.errors.FormatError` that names the field; a part that does not exist here is named, never
passed over.
"""

from __future__ import annotations

import json
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textpipe.added_tokens import AddedToken, AddedVocabulary
from textpipe.decoders import Decoder
from textpipe.errors import FormatError, InputError, LimitError
from textpipe.formats import tokenizer_parts
from textpipe.formats.fields import Field, parse_json
from textpipe.limits import DEFAULT_LIMITS, Limits
from textpipe.models import BPE
from textpipe.normalizers import Normalizer
from textpipe.pre_tokenizers import PreTokenizer
from textpipe.processors import PostProcessor

__all__ = ["Parts", "read", "read_file", "write"]

_TOP = ("version", "truncation", "padding", "added_tokens", *tokenizer_parts.STAGES, "model")
_MODEL = (
    "type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", "byte_fallback",
    "ignore_merges", "vocab", "merges",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parts:
    """What a tokenizer.json holds."""

    model: BPE
    added: AddedVocabulary
    normalizer: Normalizer | None = None
    pre_tokenizer: PreTokenizer | None = None
    post_processor: PostProcessor | None = None
    decoder: Decoder | None = None


def read_file(path: str | os.PathLike[str], *, limits: Limits = DEFAULT_LIMITS) -> Parts:
    """Read the file at ``path``; a folder stands for the tokenizer.json in it.

    Raises
    ------
    InputError
        when there is no such file.
    FormatError
        when it is no tokenizer.json.
    """
    file = Path(path)
    if file.is_dir():
        file /= "tokenizer.json"
    try:
        if file.stat().st_size > limits.tokenizer_file_bytes:
            raise LimitError(
                f"a file of {file.stat().st_size} bytes", where=file, allowed=f"{limits.tokenizer_file_bytes} bytes"
            )
        with file.open("rb") as opened:  # a device has no size to ask for
            data = opened.read(limits.tokenizer_file_bytes + 1)
    except FileNotFoundError:
        raise InputError("no such file", where=file, hint="name a tokenizer.json, or the folder it lies in") from None
    return read(data, path=str(file), limits=limits)


def read(data: str | bytes, *, path: str, limits: Limits = DEFAULT_LIMITS) -> Parts:
    """Read the text of a tokenizer.json; ``path`` names it in messages."""
    if len(data) > limits.tokenizer_file_bytes:
        raise LimitError(f"{len(data)} bytes", where=path, allowed=f"{limits.tokenizer_file_bytes} bytes")
    top = Field(parse_json(data, path=path, limits=limits), "", path)
    top.only(*_TOP)
    version = top.get("version", str, "1.0")
    if version != "1.0":
        top.need("version").fail(f'is "{version}"', allowed='"1.0"')
    for setting in ("truncation", "padding"):
        if top.get(setting, dict, None, nullable=True) is not None:
            top.need(setting).fail("is set, and there is none here yet", hint=f'put "{setting}": null')
    model = _read_model(top.need("model"), limits)
    stages = {name: _read_stage(top, name) for name in tokenizer_parts.STAGES}
    added = _read_added(top.part("added_tokens", required=False), model, limits)
    return Parts(model, added, **stages)


def _read_stage(top: Field, name: str) -> Any:
    field = top.part(name, required=False)
    return None if field is None or field.value is None else tokenizer_parts.read(name, field)


def _read_model(field: Field, limits: Limits) -> BPE:
    kind = field.get("type", str)
    if kind != "BPE":
        field.need("type").fail(f'is "{kind}", a model there is none of here yet', allowed='"BPE"')
    field.only(*_MODEL)
    vocab = _read_vocab(field.need("vocab"), limits)
    merges = _read_merges(field.need("merges"), limits)
    dropout = field.get("dropout", float, None, nullable=True)
    if dropout is not None and not 0.0 <= dropout <= 1.0:
        field.need("dropout").fail(f"is {dropout}", allowed="0 to 1, or null")
    try:
        return BPE(
            vocab,
            merges,
            dropout=dropout,
            unk_token=field.get("unk_token", str, None, nullable=True),
            continuing_subword_prefix=field.get("continuing_subword_prefix", str, None, nullable=True),
            end_of_word_suffix=field.get("end_of_word_suffix", str, None, nullable=True),
            fuse_unk=field.get("fuse_unk", bool, False),
            byte_fallback=field.get("byte_fallback", bool, False),
            ignore_merges=field.get("ignore_merges", bool, False),
        )
    except InputError as error:
        raise FormatError(error.what, path=field.path, field=field.name, allowed=error.allowed) from None


def _read_vocab(field: Field, limits: Limits) -> dict[str, int]:
    vocab: dict[str, int] = field.of(dict)
    if len(vocab) > limits.vocab_size:
        field.fail(f"has {len(vocab)} pieces", allowed=f"at most {limits.vocab_size}")
    for piece, number in vocab.items():
        if type(number) is not int or not 0 <= number < limits.token_id:
            field.fail(f'gives "{piece[:40]}" the id {number!r}', allowed=f"a whole number, 0 to {limits.token_id - 1}")
        if len(piece) * 4 > limits.piece_bytes and len(piece.encode("utf-8", "replace")) > limits.piece_bytes:
            field.fail(f"has a piece of {len(piece)} characters", allowed=f"at most {limits.piece_bytes} bytes")
    if len(set(vocab.values())) != len(vocab):
        seen: dict[int, str] = {}
        for piece, number in vocab.items():
            if seen.setdefault(number, piece) != piece:
                field.fail(f'gives "{seen[number][:40]}" and "{piece[:40]}" the same id {number}')
    return vocab


def _read_merges(field: Field, limits: Limits) -> list[tuple[str, str]]:
    rows = field.of(list)
    if len(rows) > limits.num_merges:
        field.fail(f"has {len(rows)} merges", allowed=f"at most {limits.num_merges}")
    merges: list[tuple[str, str]] = []
    for number, row in enumerate(rows):
        # Either ["a", "b"] or, in older files, "a b".
        pair = row.split(" ") if type(row) is str else row
        if type(pair) is not list or len(pair) != 2 or type(pair[0]) is not str or type(pair[1]) is not str:
            Field(row, f"{field.name}[{number}]", field.path).fail(
                "is no merge", allowed='two pieces, ["a", "b"] or "a b"'
            )
        merges.append((pair[0], pair[1]))
    return merges


def _read_added(field: Field | None, model: BPE, limits: Limits) -> AddedVocabulary:
    added = AddedVocabulary()
    if field is None:
        return added
    rows = list(field.items())
    if len(rows) > limits.num_added_tokens:
        field.fail(f"has {len(rows)} tokens", allowed=f"at most {limits.num_added_tokens}")
    tokens: list[AddedToken] = []
    for row in rows:
        row.only("id", "content", "single_word", "lstrip", "rstrip", "normalized", "special")
        content = row.get("content", str)
        if len(content.encode()) > limits.piece_bytes:
            row.need("content").fail(f"has {len(content)} characters", allowed=f"at most {limits.piece_bytes} bytes")
        flags = {key: row.get(key, bool) for key in ("single_word", "lstrip", "rstrip", "normalized", "special")}
        tokens.append(AddedToken(content, **flags))
    added.add(tokens, model)
    for row, token in zip(rows, tokens, strict=True):
        number = row.get("id", int)
        if added.ids.get(token.content) != number:
            row.need("id").fail(
                f'is {number}, where "{token.content[:40]}" would get {added.ids.get(token.content)}',
                allowed="the id of the piece of that name, or the next free one, in order",
            )
    return added


def write(parts: Parts, *, pretty: bool) -> str:
    """The text of a tokenizer.json."""
    tokens = [token.to_dict(number) for number, token in sorted(parts.added.by_id.items())]
    row: dict[str, Any] = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": tokens}
    for name in tokenizer_parts.STAGES:
        stage = getattr(parts, name)
        row[name] = None if stage is None else stage.to_dict()
    row["model"] = parts.model.to_dict()
    if pretty:
        text = json.dumps(row, ensure_ascii=False, indent=2)
    else:
        text = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
    if parts.model.dropout is None:
        return text
    # The one number with a fraction. Quotes inside strings are escaped, so this finds the key itself.
    key = '"dropout": ' if pretty else '"dropout":'
    return text.replace(key + json.dumps(parts.model.dropout), key + _single(parts.model.dropout), 1)


def _single(number: float) -> str:
    """The fewest digits that give the same single-precision number, as `tokenizers` keeps and writes it."""
    single = struct.pack("f", number)
    (number,) = struct.unpack("f", single)
    digits, exponent = next(
        shown.split("e")
        for shown in (format(number, f".{precision}e") for precision in range(9))
        if struct.pack("f", float(shown)) == single
    )
    digits, places = digits.replace(".", "").rstrip("0") or "0", -int(exponent)
    if places <= 0:  # dropout is at most 1
        return f"{digits}.0"
    if places <= 6:
        return "0." + "0" * (places - 1) + digits
    return digits[0] + ("." + digits[1:] if len(digits) > 1 else "") + f"e-{places}"
