"""Reading JSON objects field by field.

What enters: a decoded JSON value and the name of the file. What leaves: its parts, each checked. Promises: whatever
is wrong with a value is a :class:`~textpipe.errors.FormatError` that names the file and the field, such as
``model.merges[3]``; what is read otherwise than it stands there is noted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, NoReturn

from textpipe.core._json import parse
from textpipe.errors import FormatError, did_you_mean
from textpipe.limits import Limits
from textpipe.models.vocabulary_files import vocab_fault

__all__ = ["Field", "parse_json", "read_vocab"]

_NAMES = {
    dict: "an object",
    list: "an array",
    str: "a string",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
}


def parse_json(data: str | bytes, *, path: str, limits: Limits, pairs: str | None = None) -> Any:
    """Decode JSON: UTF-8, no deeper than the limit, no key twice in an object, no half of a surrogate pair.

    Under the key ``pairs`` an array of pairs of strings becomes a PairList.

    Raises
    ------
    FormatError
        with the byte where the text stops being JSON.
    """
    if isinstance(data, str):
        try:
            raw = data.encode()
        except UnicodeEncodeError as error:
            offset = len(data[: error.start].encode())
            raise FormatError("holds a lone surrogate", path=path, offset=offset) from None
    else:
        raw = data
    return parse(raw, path=path, depth=limits.json_depth, pairs=pairs)


@dataclass(frozen=True, slots=True)
class Field:
    """A value of a JSON file and its name in it."""

    value: Any
    name: str
    path: str
    notes: list[str] = field(default_factory=list, compare=False, repr=False)
    """What a reader of the whole file should hear of, a sentence each; the parts of an object share its list."""

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
        if key in values:
            return Field(values[key], self._name_of(key), self.path, self.notes)
        if required:
            near = get_close_matches(key, values, n=1)
            Field(None, self._name_of(key), self.path).fail(
                "is missing", hint=f'there is "{near[0][:40]}"' if near else None
            )
        return None

    def need(self, key: str) -> Field:
        """A part that must be there."""
        found = self.part(key)
        assert found is not None
        return found

    def items(self) -> Iterator[Field]:
        """The parts of an array."""
        for number, value in enumerate(self.of(list)):
            yield Field(value, f"{self.name}[{number}]", self.path, self.notes)

    def only(self, *keys: str) -> None:
        """Refuse keys that nobody would read: they might change what the file means."""
        for key in self.of(dict):
            if key not in keys:
                Field(None, self._name_of(key), self.path).fail("is not a known field", hint=did_you_mean(key, keys))

    def known(self, *keys: str) -> None:
        """Note keys that are read over, as `tokenizers` reads over what versions after it write."""
        for key in self.of(dict):
            if key not in keys:
                name = self._name_of(key)
                self.notes.append(f"{name[:80]}{'…' * (len(name) > 80)} is not a known field and is read over")

    def _name_of(self, key: str) -> str:
        return f"{self.name}.{key}" if self.name else key


def read_vocab(field: Field, limits: Limits) -> dict[str, int]:
    """An object of pieces and their ids."""
    vocab: dict[str, int] = field.of(dict)
    fault = vocab_fault(vocab, limits)
    if fault is not None:
        field.fail(fault[0], allowed=fault[1])
    return vocab


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False) if not isinstance(value, dict | list) else _NAMES[type(value)]
    return "null" if value is None else text if len(text) <= 60 else text[:57] + "…"
