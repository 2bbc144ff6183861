"""The bytes of a file, inflated on the way.

What enters: a path; ``.gz`` and ``.zst`` tell by their names that they are packed. What leaves: blocks of bytes.
Promises: memory does not follow the size of the file, nor how well it is packed (zstandard's window
aside); a file that is damaged gives all that
is whole and then an error with the byte reached.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from textpipe.errors import FormatError
from textpipe.sources.paths import PACKED_SUFFIXES

__all__ = ["inflated_bytes", "read_blocks"]

_BLOCK_BYTES = 1 << 20
_GZ_FRAME_BYTES = 18  # header and trailer
_PACKED_BYTES = 1 << 17  # read at once from a packed file
# Inflated at once: zstandard gives all that a piece holds, and four bytes can hold 128 KiB.
_ZST_PIECE_BYTES = 512


def inflated_bytes(path: str | os.PathLike[str]) -> int | None:
    """How large a packed file says it is when inflated; None where it does not say so, or says less than it has.

    What it says is not to be relied on: only the first part of a file of several is counted.
    """
    path = Path(path)
    size = path.stat().st_size
    with open(path, "rb") as file:
        if path.suffix.lower() == ".gz":
            file.seek(max(size - 4, 0))
            said = int.from_bytes(file.read(4), "little") if size > _GZ_FRAME_BYTES else -1
        else:
            import zstandard

            try:
                said = zstandard.frame_content_size(file.read(32))
            except zstandard.ZstdError:
                said = -1
    return said if said >= size else None


def read_blocks(path: str | os.PathLike[str]) -> Iterator[bytes]:
    """The inflated bytes of a file, block by block, each of at most a mebibyte.

    Raises
    ------
    FormatError
        when compressed data is damaged or ends early, with the byte of the packed file reached.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    with open(path, "rb") as file:
        if suffix in PACKED_SUFFIXES:
            yield from _in_blocks(_inflate(file, path, suffix))
            return
        while block := file.read(_BLOCK_BYTES):
            yield block


def _in_blocks(parts: Iterator[bytes]) -> Iterator[bytes]:
    """Neither too small nor too large; what came before an error is given before it."""
    held: list[bytes] = []
    size = 0
    broken: FormatError | None = None
    while broken is None:
        try:
            part = next(parts, None)
        except FormatError as error:
            broken, part = error, None
        if part is None:
            break
        held.append(part)
        size += len(part)
        if size >= _BLOCK_BYTES // 4:
            whole = b"".join(held)
            held, size = [], 0
            for start in range(0, len(whole), _BLOCK_BYTES):
                yield whole[start : start + _BLOCK_BYTES]
    if held:
        yield b"".join(held)
    if broken is not None:
        raise broken


def _inflate(file: BinaryIO, path: Path, suffix: str) -> Iterator[bytes]:
    inflater: Any = None
    start = _PACKED_BYTES if suffix == ".gz" else _ZST_PIECE_BYTES
    position = 0
    while read := file.read(_PACKED_BYTES):
        for at in range(0, len(read), start):
            packed = read[at : at + start]
            position += len(packed)
            while packed:  # a file may hold several members one after another
                inflater = inflater or _new_inflater(suffix)
                try:
                    part, packed = _step(inflater, packed, suffix)
                except Exception as error:  # zlib.error, zstandard.ZstdError: no common base
                    raise FormatError(f"damaged {suffix[1:]} data ({error})", path=path, offset=position) from None
                if part:
                    yield part
                if inflater.eof:
                    packed, inflater = inflater.unused_data, None
    if inflater is not None:
        raise FormatError(
            f"the {suffix[1:]} data ends early", path=path, offset=position, hint="the file is cut short: get it again"
        )


def _new_inflater(suffix: str) -> Any:
    if suffix == ".gz":
        return zlib.decompressobj(wbits=31)
    import zstandard

    return zstandard.ZstdDecompressor().decompressobj()


def _step(inflater: Any, packed: bytes, suffix: str) -> tuple[bytes, bytes]:
    """What comes out, and what is still to go in."""
    if suffix == ".gz":
        return inflater.decompress(packed, _BLOCK_BYTES), inflater.unconsumed_tail
    return inflater.decompress(packed), b""
