"""tokenizer.json, in and out.

What enters: the text of a tokenizer.json, or the parts of a tokenizer. What leaves: the other. Promises: what is
written is byte for byte what `tokenizers` 0.23.3 writes for the same tokenizer; a broken file, whatever is broken in
it, is a :class:`~textpipe.errors.FormatError` that names the field; a part that does not exist here is named, never
passed over; where `tokenizers` silently reads over a field, or gives added tokens other ids than the file, the same is
done with a warning.
"""

from __future__ import annotations

import json
import struct
import sys
import warnings
from typing import Any

from textpipe.errors import LimitError
from textpipe.formats import tokenizer_lengths, tokenizer_models, tokenizer_parts
from textpipe.formats.fields import Field, parse_json
from textpipe.formats.parts import Parts
from textpipe.limits import DEFAULT_LIMITS, Limits
from textpipe.models import Model
from textpipe.models.added_tokens import AddedToken, AddedVocabulary

__all__ = ["read", "write"]

_SHOWN = 5  # tokens, or things read otherwise, in a warning
_TOP = ("version", "truncation", "padding", "added_tokens", *tokenizer_parts.STAGES, "model")


def read(data: str | bytes, *, path: str, limits: Limits = DEFAULT_LIMITS) -> Parts:
    """Read the text of a tokenizer.json; ``path`` names it in messages."""
    if len(data) > limits.tokenizer_file_bytes:
        raise LimitError(f"{len(data)} bytes", where=path, allowed=f"{limits.tokenizer_file_bytes} bytes")
    top = Field(parse_json(data, path=path, limits=limits, pairs="merges"), "", path)
    top.only(*_TOP)
    version = top.get("version", str, "1.0")
    if version != "1.0":
        top.need("version").fail(f'is "{version}"', allowed='"1.0"')
    model = tokenizer_models.read(top.need("model"), limits)
    stages = {name: _read_stage(top, name) for name in tokenizer_parts.STAGES}
    added = _read_added(top.part("added_tokens", required=False), model, limits)
    padding, truncation = tokenizer_lengths.read(top)
    _warn(top)
    return Parts(model, added, **stages, padding=padding, truncation=truncation)


def _read_stage(top: Field, name: str) -> Any:
    field = top.part(name, required=False)
    return None if field is None or field.value is None else tokenizer_parts.read(name, field)


def _read_added(field: Field | None, model: Model, limits: Limits) -> AddedVocabulary:
    added = AddedVocabulary()
    if field is None:
        return added
    rows = list(field.items())
    if len(rows) > limits.num_added_tokens:
        field.fail(f"has {len(rows)} tokens", allowed=f"at most {limits.num_added_tokens}")
    tokens: list[AddedToken] = []
    for row in rows:
        row.known("id", "content", "single_word", "lstrip", "rstrip", "normalized", "special")
        content = row.get("content", str)
        if len(content.encode()) > limits.piece_bytes:
            row.need("content").fail(f"has {len(content)} characters", allowed=f"at most {limits.piece_bytes} bytes")
        flags = {key: row.get(key, bool) for key in ("single_word", "lstrip", "rstrip", "normalized", "special")}
        tokens.append(AddedToken(content, **flags))
    added.add(tokens, model)
    _check_ids(rows, tokens, added, model, limits)
    return added


def _check_ids(
    rows: list[Field], tokens: list[AddedToken], added: AddedVocabulary, model: Model, limits: Limits
) -> None:
    """Refuse ids that contradict others, and note those that `tokenizers` replaces by the next free one."""
    contents: dict[int, str] = {}
    numbers: dict[str, int] = {}
    renumbered: list[str] = []
    for row, token in zip(rows, tokens, strict=True):
        number, field, content = row.get("id", int), row.need("id"), token.content
        if not content:
            row.need("content").fail("is empty")
        if not 0 <= number < limits.token_id:
            field.fail(f"is {number}", allowed=f"0 to {limits.token_id - 1}")
        given = added.ids[content]
        holder = contents.setdefault(number, content if number == given else model.id_to_token(number) or content)
        if holder != content:
            field.fail(f'is {number}, the id of "{holder[:40]}"', allowed="an id of its own")
        piece = model.token_to_id(content)
        known = numbers.setdefault(content, number if piece is None else piece)
        if known != number:
            field.fail(f'is {number}, and "{content[:40]}" has the id {known}', allowed="one id a token")
        if given == number:
            continue
        taken = model.id_to_token(given)
        if taken is not None:
            field.fail(f'is {number}, and the next free one, {given}, is that of "{taken[:40]}"')
        renumbered.append(f'"{content[:40]}" {number} → {given}')
    if renumbered:
        listed = ", ".join(renumbered[:_SHOWN]) + (", …" if len(renumbered) > _SHOWN else "")
        rows[0].notes.append(
            f"{len(renumbered)} added tokens get the next free id instead of the one in the file: {listed}"
        )


def _warn(top: Field) -> None:
    """Say in one warning what was read otherwise than the file has it."""
    if not top.notes:
        return
    listed = "; ".join(top.notes[:_SHOWN]) + (f"; and {len(top.notes) - _SHOWN} more" if top.notes[_SHOWN:] else "")
    warnings.warn(f"{top.path}, read as `tokenizers` reads it: {listed}", stacklevel=_callers_level())


def _callers_level() -> int:
    """How many frames up is the line that called textpipe, by whatever way it came here."""
    package, level, frame = __name__.partition(".")[0], 0, sys._getframe()
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == package:
        level, frame = level + 1, frame.f_back
    return level


def write(parts: Parts, *, pretty: bool) -> str:
    """The text of a tokenizer.json."""
    tokens = [token.to_dict(number) for number, token in sorted(parts.added.by_id.items())]
    row: dict[str, Any] = {
        "version": "1.0",
        "truncation": None if parts.truncation is None else parts.truncation.to_dict(),
        "padding": None if parts.padding is None else parts.padding.to_dict(),
        "added_tokens": tokens,
    }
    for name in tokenizer_parts.STAGES:
        stage = getattr(parts, name)
        row[name] = None if stage is None else stage.to_dict()
    row["model"] = parts.model.to_dict()
    if pretty:
        text = json.dumps(row, ensure_ascii=False, indent=2)
    else:
        text = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
    dropout = row["model"].get("dropout")
    if dropout is None:
        return text
    # The one number with a fraction. Quotes inside strings are escaped, so this finds the key itself.
    key = '"dropout": ' if pretty else '"dropout":'
    return text.replace(key + json.dumps(dropout), key + _single(dropout), 1)


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
