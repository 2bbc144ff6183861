"""Protocol Buffers, the part that model files need: messages as fields, in and out.

What enters: the bytes of a message, or its fields. What leaves: the other. Promises: reading takes linear time and
never more memory than the bytes; a message that is cut off, or a number that does not end, is a ``FormatError`` that
says at which byte. Source: the encoding chapter of the Protocol Buffers documentation.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NoReturn

from textpipe.errors import FormatError

__all__ = ["VARINT", "Message", "Value", "write_bool", "write_bytes", "write_float", "write_number"]

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
Value = int | bytes


class Message:
    """A message that lies in ``data[begin:end]``; ``name`` says which one it is in errors."""

    __slots__ = ("begin", "data", "end", "name", "path")

    def __init__(self, data: bytes, path: str, name: str, begin: int = 0, end: int | None = None) -> None:
        self.data, self.path, self.name, self.begin = data, path, name, begin
        self.end = len(data) if end is None else end

    def fail(self, what: str, offset: int) -> NoReturn:
        """Raise the error for a fault at a byte of the file."""
        raise FormatError(what, path=self.path, field=self.name, offset=offset, hint="the file is damaged")

    def number(self, at: int) -> tuple[int, int]:
        """The number of variable length at a byte, and where it ends."""
        value = shift = 0
        for place in range(at, min(at + 10, self.end)):
            byte = self.data[place]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value & 0xFFFFFFFFFFFFFFFF, place + 1
            shift += 7
        if at + 10 <= self.end:
            self.fail("a number of more than ten bytes", at)
        return self.fail("the file ends inside a number", self.end)

    def fields(self) -> Iterator[tuple[int, int, int, int]]:
        """(field, wire type, begin, end) of each field, in order; ``data[begin:end]`` is its value.

        A value of variable length is given as it is encoded; :meth:`number` at ``begin`` reads it.
        """
        at = self.begin
        while at < self.end:
            start = at
            tag, at = self.number(at)
            field, kind = tag >> 3, tag & 7
            if field == 0:
                self.fail("a field with the number 0", start)
            if kind == VARINT:
                _, end = self.number(at)
            elif kind == BYTES:
                size, at = self.number(at)
                end = at + size
            elif kind in (FIXED32, FIXED64):
                end = at + (4 if kind == FIXED32 else 8)
            else:
                self.fail(f"a field of the unknown wire type {kind}", start)
            if end > self.end:
                self.fail(f"field {field} takes {end - at} bytes where {self.end - at} are left", start)
            yield field, kind, at, end
            at = end

    def values(self) -> dict[int, list[Value]]:
        """Every field's values in order: numbers of variable length as ``int``, all others as their bytes."""
        found: dict[int, list[Value]] = {}
        for field, kind, begin, end in self.fields():
            value: Value = self.number(begin)[0] if kind == VARINT else self.data[begin:end]
            found.setdefault(field, []).append(value)
        return found


def _varint(value: int) -> bytes:
    value &= 0xFFFFFFFFFFFFFFFF  # a negative number is written as its complement, in ten bytes
    found = bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def write_number(field: int, value: int) -> bytes:
    """A field of a whole number.

    >>> write_number(3, 300)
    b'\\x18\\xac\\x02'
    """
    return _varint(field << 3 | VARINT) + _varint(value)


def write_bool(field: int, value: bool) -> bytes:
    """A field of yes or no."""
    return write_number(field, int(value))


def write_bytes(field: int, value: bytes | str) -> bytes:
    """A field of bytes, of text, or of a message."""
    data = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | BYTES) + _varint(len(data)) + data


def write_float(field: int, value: float) -> bytes:
    """A field of a single-precision number."""
    return _varint(field << 3 | FIXED32) + struct.pack("<f", value)
