"""Word counts on disk: counts made on several machines, or once for many trainings, add up.

What enters: a ``WordCounts`` and the settings of the stages that made its words. What leaves: one file, or the counts
that were in it. Promises: the same counts and settings give the same bytes, whatever the threads, chunks and machine;
a file that is cut short, changed or foreign is refused as a whole.

    magic       12 bytes, the first of which begins no UTF-8
    header      version, flags (1: byte-level), bytes of settings: 4 bytes each; words, bytes of words: 8 bytes each
    settings    JSON of the stages that made the words
    counts      8 bytes a word       words ascend by their bytes
    sizes       4 bytes a word
    words       one after the other
    sha256      of all before

Numbers are little-endian; a count is at least 1, and all together stay below 2**63.
"""

from __future__ import annotations

import hashlib
import os
import struct
from pathlib import Path
from typing import BinaryIO, NamedTuple

from textpipe.core._word_counts import WordCounts
from textpipe.errors import FormatError, InputError, LimitError, StateError
from textpipe.files import replace_file

__all__ = ["SavedCounts", "add_saved_counts", "is_counts_file", "load_counts", "save_counts"]

MAGIC = b"\x89TPWORD\r\n\x1a\n\x00"
VERSION = 1
_HEADER = struct.Struct("<IIIQQ")
_BYTE_LEVEL = 1
_DIGEST_BYTES = 32


class SavedCounts(NamedTuple):
    """What a file of counts holds."""

    counts: WordCounts
    settings: str


class _Header(NamedTuple):
    flags: int
    settings_bytes: int
    num_words: int
    words_bytes: int

    @property
    def file_bytes(self) -> int:
        fixed = len(MAGIC) + _HEADER.size + _DIGEST_BYTES
        return fixed + self.settings_bytes + 12 * self.num_words + self.words_bytes


def is_counts_file(path: str | os.PathLike[str]) -> bool:
    """Whether a file begins as counts do; a pipe is not read and is none."""
    if not Path(path).is_file():
        return False
    with open(path, "rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def save_counts(path: str | os.PathLike[str], counts: WordCounts, settings: str = "") -> None:
    """Write counts, whole or not at all.

    Parameters
    ----------
    settings : JSON of the stages that made the words, as :attr:`WordCutter.settings` has it; counts add up only with
        counts of the same settings.

    Raises
    ------
    LimitError
        when all counts together pass 2**63 - 1.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp(), "ko.counts")
    >>> counts = WordCounts()
    >>> counts.add("밥".encode(), 3)
    >>> save_counts(file, counts)
    >>> load_counts(file).counts.items() == counts.items()
    True
    """
    if counts.num_occurrences >= 1 << 63:
        raise LimitError("the counts together pass 2^63 - 1", where=path, hint="count fewer texts at once")
    written = settings.encode()
    columns = counts.columns()
    flags = _BYTE_LEVEL if counts.byte_level else 0
    header = _HEADER.pack(VERSION, flags, len(written), len(columns[1]) // 4, len(columns[2]))
    digest = hashlib.sha256()
    with replace_file(path) as file:
        for part in (MAGIC, header, written, *columns):
            digest.update(part)
            file.write(part)
        file.write(digest.digest())


def load_counts(path: str | os.PathLike[str]) -> SavedCounts:
    """Read counts and their settings.

    Raises
    ------
    FormatError
        when the file is no file of counts, of a later version, cut short or changed.
    """
    with open(path, "rb") as file:
        header, digest = _read_header(file, path)
        settings = _read(file, header.settings_bytes, digest)
        columns = [_read(file, size, digest) for size in (8 * header.num_words, 4 * header.num_words)]
        columns.append(_read(file, header.words_bytes, digest))
        if file.read() != digest.digest():
            raise FormatError("the checksum does not fit the content", path=path, hint=_AGAIN)
    counts = WordCounts(byte_level=bool(header.flags & _BYTE_LEVEL))
    try:
        counts.add_columns(*columns)
        return SavedCounts(counts, settings.decode())
    except UnicodeDecodeError:
        raise FormatError("the settings are not UTF-8", path=path) from None
    except (InputError, LimitError) as error:
        raise FormatError(error.what, path=path) from None


def add_saved_counts(counts: WordCounts, path: str | os.PathLike[str], settings: str | None) -> None:
    """Add the counts in a file to ``counts``, whose words the stages of ``settings`` make.

    Raises
    ------
    StateError
        when other stages made the words of the file.
    LimitError
        when all counts together pass 2**63 - 1.
    """
    saved = load_counts(path)
    if settings is None:
        raise StateError("these stages have no settings that counts could be compared by", where=path)
    if saved.settings != settings or saved.counts.byte_level != counts.byte_level:
        raise StateError(
            "the words of these counts were made by other stages",
            where=path,
            allowed=settings,
            hint=f"count the texts again, or choose the stages of the counts: {saved.settings or 'unnamed'}",
        )
    if counts.num_occurrences + saved.counts.num_occurrences >= 1 << 63:
        raise LimitError("the counts together pass 2^63 - 1", where=path, hint="count fewer texts at once")
    counts.merge(saved.counts)


_AGAIN = "the file is damaged: get it again, or count again"


def _read_header(file: BinaryIO, path: object) -> tuple[_Header, hashlib._Hash]:
    start = file.read(len(MAGIC) + _HEADER.size)
    if not start.startswith(MAGIC):
        raise FormatError("no file of word counts", path=path, hint="train-vocab --save-counts writes one")
    if len(start) < len(MAGIC) + _HEADER.size:
        raise FormatError("the file ends early", path=path, offset=len(start), hint=_AGAIN)
    version, *row = _HEADER.unpack(start[len(MAGIC) :])
    if version != VERSION:
        raise FormatError(
            f"is of version {version}", path=path, field="version", allowed=str(VERSION), hint="update textpipe"
        )
    header = _Header(*row)
    if header.flags & ~_BYTE_LEVEL:
        raise FormatError(f"are {header.flags}", path=path, field="flags", allowed=f"0 or {_BYTE_LEVEL}")
    size = os.fstat(file.fileno()).st_size
    if size != header.file_bytes:  # asked before anything is read by a size that may be made up
        raise FormatError(
            f"the file has {size} bytes", path=path, offset=size, allowed=str(header.file_bytes), hint=_AGAIN
        )
    return header, hashlib.sha256(start)


def _read(file: BinaryIO, size: int, digest: hashlib._Hash) -> bytes:
    data = file.read(size)
    digest.update(data)
    return data
