"""Reading a whole file within a cap.

What enters: a path and the most bytes it may have. What leaves: its bytes, or its text. Promises: never more than the
cap is held, whatever the path is; a missing file and a byte that is no text are named.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO

from textpipe.errors import FormatError, InputError, LimitError

__all__ = ["decode_text", "read_bytes"]


def read_bytes(path: str | os.PathLike[str], cap: int, *, hint: str | None = None) -> bytes:
    """The bytes of a file; ``hint`` is what to say when there is none.

    Raises
    ------
    InputError
        when there is no such file, or it is a folder.
    LimitError
        when it is larger than ``cap``.
    """
    try:
        with open(path, "rb") as opened:  # a device has no size to ask for, so one byte more is asked for instead
            size = os.fstat(opened.fileno()).st_size
            data = b"".join(_blocks(opened, size + 1, cap + 1)) if size <= cap else b""
    except FileNotFoundError:
        raise InputError("no such file", where=path, hint=hint) from None
    except IsADirectoryError:
        raise InputError("a folder where a file is needed", where=path) from None
    if max(size, len(data)) > cap:
        raise LimitError(f"a file of {max(size, len(data))} bytes", where=path, allowed=f"{cap} bytes")
    return data


def _blocks(file: BinaryIO, block: int, most: int) -> Iterator[bytes]:
    """At most ``most`` bytes; what is asked for in one call is taken from memory before it is read."""
    while most and (data := file.read(min(max(block, 1 << 16), most))):
        most -= len(data)
        yield data


def decode_text(data: bytes, path: str | os.PathLike[str]) -> str:
    """The text of a file that must be UTF-8; a byte-order mark at its beginning is passed over.

    Raises
    ------
    FormatError
        with the first byte that is none.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        hint = "write it as UTF-8 first: iconv -f CP949 (or what it is in) -t UTF-8 OLD > NEW"
        raise FormatError("not UTF-8", path=path, offset=error.start, hint=hint) from None
