"""Whole lines of a text file, chunk by chunk, as UTF-8.

What enters: a file. What leaves: chunks of bytes for the native engine, well-formed UTF-8. Promises: memory follows the
chunk, not the file, and a line longer than a chunk is cut only where the caller says that no word is cut with it;
bytes that are not UTF-8 are refused by their place, or replaced and counted.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from typing import Literal

from textpipe.errors import ConfigError, FormatError, LimitError
from textpipe.limits import DEFAULT_LIMITS, Limits
from textpipe.sources.columns import TEXT_COLUMN
from textpipe.sources.inflating import read_blocks

__all__ = ["InvalidUtf8", "LineReader", "cut_at_space", "iter_line_chunks", "iter_lines"]

InvalidUtf8 = Literal["refuse", "replace"]
"""What becomes of bytes that are not UTF-8; each run that cannot be read becomes one U+FFFD."""

_REPLACEMENT = "\ufffd".encode()
# A space between two letters, digits or Hangul syllables. The characters of a syllable are EA B0 80 to ED 9E A3.
_SYLLABLE = rb"(?:\xea[\xb0-\xbf][\x80-\xbf]|[\xeb\xec][\x80-\xbf]{2}|\xed(?:[\x80-\x9d][\x80-\xbf]|\x9e[\x80-\xa3]))"
_JOINT = re.compile(rb"(?:[A-Za-z0-9]|" + _SYLLABLE + rb") (?=[A-Za-z0-9]|" + _SYLLABLE + rb")")
_CUT_WINDOW = 1 << 16
_MOST_SAMPLED = 1 << 22  # of one line


def cut_at_space(text: bytes) -> int:
    """The last place where a text can be cut without cutting a word: before a space that has a letter, a digit or a
    Hangul syllable on both sides. 0 when there is none near the end.

    Every grammar that treats a space as white space begins a word at such a place, whatever comes later, and no
    normalizer joins anything across it.

    >>> cut_at_space("밥을 먹었다.  그리고".encode()), cut_at_space(b"ab.cd")
    (6, 0)
    """
    start = max(0, len(text) - _CUT_WINDOW)
    last = 0
    for found in _JOINT.finditer(text, start):
        last = found.end() - 1
    return last


class LineReader:
    """Reads files as chunks of whole lines.

    Parameters
    ----------
    chunk_bytes : about the size of a chunk.
    is_utf8 : a quicker check to ask first, such as the native engine's.
    invalid_utf8 : what becomes of bytes that are not UTF-8.
    text_column : where a Parquet file, which has no lines, holds its texts.
    """

    def __init__(
        self,
        *,
        chunk_bytes: int = 4 << 20,
        is_utf8: Callable[[bytes], bool] | None = None,
        invalid_utf8: InvalidUtf8 = "refuse",
        text_column: str = TEXT_COLUMN,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        if invalid_utf8 not in ("refuse", "replace"):
            raise ConfigError(f"invalid_utf8 cannot be {invalid_utf8!r}", allowed="refuse or replace")
        self.chunk_bytes = chunk_bytes
        self.text_column = text_column
        self.num_replaced = 0
        """Runs of bytes that were replaced so far."""
        self._is_utf8 = is_utf8
        self._invalid_utf8 = invalid_utf8
        self._limits = limits

    def read(self, path: str | os.PathLike[str], *, cut: Callable[[bytes], int] | None = None) -> Iterator[bytes]:
        """The chunks of a file.

        Parameters
        ----------
        cut : where a line much longer than a chunk may be cut, given its beginning; None for nowhere.

        Notes
        -----
        A byte-order mark at the very start is text like any other (as in `tokenizers`).

        Raises
        ------
        FormatError
            at the first byte that is not UTF-8 where such are refused; at damage of packed data, after the whole lines
            before it.
        LimitError
            when one line passes the cap and cannot be cut.
        """
        start = 0
        for chunk in self._chunks(path, cut):
            yield self._checked(chunk, path, start)
            start += len(chunk)

    def read_at(self, path: str | os.PathLike[str], start: int, num_bytes: int) -> bytes | None:
        """Whole lines from within a file that is not packed, ``num_bytes`` or a little more: the first begins at
        ``start`` or after it. None where a line is too long to be sampled.

        Raises
        ------
        FormatError
            at the first byte that is not UTF-8 where such are refused.
        """
        lines: list[bytes] = []
        size = 0
        with open(path, "rb") as file:
            file.seek(max(start - 1, 0))
            skipped = file.readline(_MOST_SAMPLED) if start else b""
            while size < num_bytes and (line := file.readline(_MOST_SAMPLED)):
                lines.append(line)
                size += len(line)
        if any(len(line) == _MOST_SAMPLED for line in (skipped, *lines)):
            return None
        return self._checked(b"".join(lines), path, start + max(len(skipped) - 1, 0))

    def _chunks(self, path: str | os.PathLike[str], cut: Callable[[bytes], int] | None) -> Iterator[bytes]:
        pending: list[bytes] = []
        size = 0
        broken: FormatError | None = None
        blocks = read_blocks(path)
        while True:
            try:
                block = next(blocks, None)
            except FormatError as error:
                broken, block = error, None
            if block is None:
                break
            pending.append(block)
            size += len(block)
            if size < self.chunk_bytes:
                continue
            if b"\n" not in block and (cut is None or size < 4 * self.chunk_bytes):
                self._refuse_long(size, path, self._limits.text_bytes)
                continue
            whole = b"".join(pending)
            at = whole.rfind(b"\n") + 1
            if at == 0 and cut is not None:
                at = cut(whole)
            if at == 0:
                self._refuse_long(size, path, self._limits.line_bytes)
                pending = [whole]
                continue
            yield whole[:at]
            pending, size = [whole[at:]], len(whole) - at
        last = b"".join(pending)
        if broken is not None:
            last = last[: last.rfind(b"\n") + 1]  # the whole lines before the damage
        if last:
            yield last
        if broken is not None:
            raise broken

    @staticmethod
    def _refuse_long(size: int, path: str | os.PathLike[str], most: int) -> None:
        if size > most:
            raise LimitError("a line is too long", where=path, allowed=f"{most} bytes", hint="break it into lines")

    def _checked(self, chunk: bytes, path: str | os.PathLike[str], start: int) -> bytes:
        if self._is_utf8 is not None and self._is_utf8(chunk):
            return chunk
        try:
            chunk.decode("utf-8")
        except UnicodeDecodeError as error:
            if self._invalid_utf8 == "replace":
                replaced = chunk.decode("utf-8", "replace").encode()
                self.num_replaced += replaced.count(_REPLACEMENT) - chunk.count(_REPLACEMENT)
                return replaced
            raise FormatError(
                f"byte 0x{chunk[error.start]:02x} is not UTF-8",
                path=path,
                offset=start + error.start,
                hint="write it as UTF-8 first: iconv -f CP949 (or what it is in) -t UTF-8 OLD > NEW",
            ) from None
        return chunk


def iter_line_chunks(
    path: str | os.PathLike[str],
    *,
    chunk_bytes: int = 4 << 20,
    is_utf8: Callable[[bytes], bool] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Iterator[bytes]:
    """A file as chunks of whole lines (line ends kept), with no line ever cut: see :class:`LineReader`."""
    return LineReader(chunk_bytes=chunk_bytes, is_utf8=is_utf8, limits=limits).read(path)


def iter_lines(path: str | os.PathLike[str]) -> Iterator[str]:
    """The lines of a file, without their ends (``\\n`` or ``\\r\\n``) and the byte-order mark it may begin with.

    Raises
    ------
    FormatError, LimitError
        as :meth:`LineReader.read` does.
    """
    # Spreadsheets and editors begin a file with the mark: it would stick to the first word, column or label.
    for number, chunk in enumerate(iter_line_chunks(path)):
        for line in chunk.decode("utf-8" if number else "utf-8-sig").removesuffix("\n").split("\n"):
            yield line.removesuffix("\r")
