"""Reading JSON objects field by field.

What enters: a decoded JSON value and the name of the file. What leaves: its parts, each checked. Promises: whatever
is wrong with a value is a :class:`~textpipe.errors.FormatError` that names the file and the field, such as
``model.merges[3]``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from textpipe.errors import FormatError, did_you_mean
from textpipe.limits import Limits

__all__ = ["Field", "parse_json"]

_NAMES = {
    dict: "an object",
    list: "an array",
    str: "a string",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
}


def parse_json(data: str | bytes, *, path: str, limits: Limits) -> Any:
    """Decode JSON: UTF-8, no deeper than the limit, no key twice in an object, no half of a surrogate pair.

    Raises
    ------
    FormatError
        with the byte where the text stops being JSON.
    """
    if isinstance(data, bytes):
        try:
            data = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise FormatError("not UTF-8", path=path, offset=error.start) from None
    _check_depth(data, path, limits.json_depth)
    try:
        value = json.loads(data, object_pairs_hook=lambda pairs: _object(pairs, path))
    except json.JSONDecodeError as error:
        offset = len(data[: error.pos].encode("utf-8", "replace"))
        raise FormatError(f"not JSON: {error.msg}", path=path, offset=offset, hint="is the file whole?") from None
    except ValueError as error:  # a number of thousands of digits
        raise FormatError(f"not JSON that can be used: {error}", path=path) from None
    # Few files escape a surrogate at all: only those are looked through.
    if re.search(r"\\u[dD][89a-fA-F]", data) or (not data.isascii() and re.search("[\ud800-\udfff]", data)):
        _check_characters(Field(value, "", path))
    return value


def _object(pairs: list[tuple[str, Any]], path: str) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise FormatError("a key stands twice in one object", path=path, field=repr(twice))
    return made


def _check_depth(text: str, path: str, most: int) -> None:
    # Brackets are rare next to the pieces, so jumping from one to the next is quick.
    depth = 0
    # A string that does not end takes the rest of the text: looked for again at each quote, it would take forever.
    for match in re.finditer(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[\[{]|[\]}]', text, re.DOTALL):
        mark = match[0]
        if mark in "[{":
            depth += 1
            if depth > most:
                raise FormatError(
                    f"nested deeper than {most} levels",
                    path=path,
                    offset=len(text[: match.start()].encode("utf-8", "replace")),
                )
        elif mark in "]}":
            depth -= 1


def _check_characters(field: Field) -> None:
    """Refuse halves of surrogate pairs: no string that holds one can be encoded, or written again."""
    value = field.value
    if isinstance(value, dict):
        for key, part in value.items():
            _check_characters(Field(key, field.name, field.path))
            _check_characters(Field(part, f"{field.name}.{key}" if field.name else key, field.path))
    elif isinstance(value, list):
        for number, part in enumerate(value):
            _check_characters(Field(part, f"{field.name}[{number}]", field.path))
    elif isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
        field.fail(f"holds a lone surrogate in {value[:40]!r}")


@dataclass(frozen=True, slots=True)
class Field:
    """A value of a JSON file and its name in it."""

    value: Any
    name: str
    path: str

    def fail(self, what: str, *, allowed: str | None = None, hint: str | None = None) -> NoReturn:
        """Raise the error that names this field."""
        raise FormatError(what, path=self.path, field=self.name or None, allowed=allowed, hint=hint)

    def of(self, kind: type) -> Any:
        """The value, which must be of this kind."""
        value = self.value
        if kind is float and type(value) is int:
            return float(value)
        if type(value) is not kind:
            self.fail(f"is {_shown(value)}", allowed=_NAMES[kind])
        return value

    def get(self, key: str, kind: type, default: Any = ..., *, nullable: bool = False) -> Any:
        """A part of an object by its key; without a default it must be there."""
        found = self.part(key, required=default is ...)
        if found is None:
            return default
        if nullable and found.value is None:
            return None
        return found.of(kind)

    def part(self, key: str, *, required: bool = True) -> Field | None:
        """A part of an object as a field, or None when it is absent and need not be there."""
        values = self.of(dict)
        name = f"{self.name}.{key}" if self.name else key
        if key in values:
            return Field(values[key], name, self.path)
        if required:
            Field(None, name, self.path).fail("is missing")
        return None

    def need(self, key: str) -> Field:
        """A part that must be there."""
        found = self.part(key)
        assert found is not None
        return found

    def items(self) -> Iterator[Field]:
        """The parts of an array."""
        for number, value in enumerate(self.of(list)):
            yield Field(value, f"{self.name}[{number}]", self.path)

    def only(self, *keys: str) -> None:
        """Refuse keys that nobody would read: they might change what the file means."""
        for key in self.of(dict):
            if key not in keys:
                Field(None, f"{self.name}.{key}" if self.name else key, self.path).fail(
                    "is not a known field", hint=did_you_mean(key, keys)
                )


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False) if not isinstance(value, dict | list) else _NAMES[type(value)]
    return "null" if value is None else text if len(text) <= 60 else text[:57] + "…"
