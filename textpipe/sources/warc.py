"""WARC files in, pages out.

What enters: a ``.warc`` or ``.warc.gz`` file of version 1.0 or 1.1, written by us or by anybody. What leaves: one
:class:`~textpipe.records.Page` for each ``response`` and ``resource`` record, its body free of chunked and content
encoding. Promises: memory is bounded by one page, whole records before a break are given before the break is reported,
and a break is a :class:`~textpipe.errors.FormatError` that names the file and the byte the broken record starts at.

A body that cannot be undone (an encoding we do not know, damaged data) is given as it lies, with its
``content-encoding`` header left in place; a body over the cap is cut and carries ``warc-truncated: length``.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from textpipe.errors import FormatError, InputError
from textpipe.limits import DEFAULT_LIMITS, Limits
from textpipe.records import Page, WarcLocation

__all__ = ["iter_pages"]

_CHUNK_BYTES = 1 << 16
_STATUS_LINE = re.compile(rb"HTTP/\d(?:\.\d)?[ \t]+(\d{3})")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r?\n")
_GZIP_MAGIC, _ZSTD_MAGIC = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


def iter_pages(path: str | Path, *, limits: Limits = DEFAULT_LIMITS) -> Iterator[Page]:
    """Give every page of one WARC file in the order of the file.

    Parameters
    ----------
    path : the file; compression is told by its first bytes, not by its name.
    limits : ``page_bytes`` caps one body, ``header_bytes`` one block of headers.

    Yields
    ------
    Page
        with ``warc`` set to where its record starts. ``revisit`` records repeat a page given before and are passed
        over, as are requests, metadata and ``warcinfo``.

    Raises
    ------
    InputError
        when the file cannot be opened.
    FormatError
        when the file is cut off or is not a WARC; every whole record before that point has been given.

    Examples
    --------
    >>> for page in iter_pages("crawl/warc/part-00000.warc.gz"):  # doctest: +SKIP
    ...     print(page.url, page.status, len(page.body))
    """
    path = Path(path)
    try:
        file = path.open("rb")
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=path) from None
    with file:
        head = file.read(4)
        file.seek(0)
        if head == _ZSTD_MAGIC:
            raise FormatError(
                "zstd-compressed WARC is not read", path=path, allowed=".warc or .warc.gz", hint="unzstd it"
            )
        stream = _GzipStream(file, path) if head.startswith(_GZIP_MAGIC) else _PlainStream(file, path)
        yield from _iter_records(stream, path, limits)


class _PlainStream:
    """Reads records that lie uncompressed; ``start`` is the offset the current record begins at."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file = file
        self._path = path
        self.start = 0

    def mark(self) -> None:
        self.start = self._file.tell()

    def read(self, num_bytes: int) -> bytes:
        return self._file.read(num_bytes)

    def readline(self, max_bytes: int) -> bytes:
        return self._file.readline(max_bytes)


class _GzipStream:
    """Reads records through gzip, one member after the other; ``start`` is where the current record's member begins."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file = file
        self._path = path
        self._inflater = zlib.decompressobj(31)
        self._wire = b""  # read but not yet inflated
        self._member = 0  # offset of the member being inflated
        self._position = 0  # offset behind the last byte handed to the inflater
        self._ready = bytearray()
        self.start = 0

    def mark(self) -> None:
        self.start = self._member
        if not self._ready:
            self._fill()
            self.start = self._member

    def read(self, num_bytes: int) -> bytes:
        while len(self._ready) < num_bytes and self._fill():
            pass
        taken = bytes(self._ready[:num_bytes])
        del self._ready[:num_bytes]
        return taken

    def readline(self, max_bytes: int) -> bytes:
        searched = 0
        while True:
            end = self._ready.find(b"\n", searched)
            if end >= 0 or len(self._ready) >= max_bytes:
                return self.read(min(max_bytes, end + 1) if end >= 0 else max_bytes)
            searched = len(self._ready)
            if not self._fill():
                return self.read(len(self._ready))

    def _fill(self) -> bool:
        """Inflate a little more; False at the end of the file."""
        while True:
            if self._inflater.eof:
                if not self._open_next_member():
                    return False
            elif not self._wire:
                self._wire = self._file.read(_CHUNK_BYTES)
            ended = not self._wire
            given = len(self._wire)
            try:
                out = self._inflater.decompress(self._wire, _CHUNK_BYTES)
            except zlib.error as error:
                raise FormatError(f"damaged gzip data: {error}", path=self._path, offset=self._member) from None
            self._wire = self._inflater.unused_data if self._inflater.eof else self._inflater.unconsumed_tail
            self._position += given - len(self._wire)
            if out:
                self._ready += out
                return True
            if ended and not self._inflater.eof:
                raise FormatError("the file ends inside a record", path=self._path, offset=self._member, hint=_CUT_HINT)

    def _open_next_member(self) -> bool:
        self._wire = self._wire or self._file.read(_CHUNK_BYTES)
        if not self._wire:
            return False
        self._member = self._position
        self._inflater = zlib.decompressobj(31)
        return True


_CUT_HINT = "fetch or copy the file again; what came before this record was read"


def _iter_records(stream: _PlainStream | _GzipStream, path: Path, limits: Limits) -> Iterator[Page]:
    num_records = 0
    while True:
        stream.mark()
        line = stream.readline(limits.header_bytes)
        while line in (b"\r\n", b"\n"):
            stream.mark()
            line = stream.readline(limits.header_bytes)
        if not line:
            if num_records == 0:
                raise FormatError("the file is empty", path=path, offset=0, allowed="a WARC file")
            return
        if not line.startswith(b"WARC/1."):
            raise FormatError(
                "no WARC record starts here", path=path, offset=stream.start, allowed="WARC/1.0 or WARC/1.1"
            )
        num_records += 1
        fields = _read_fields(stream, path, limits)
        page = _read_block(stream, path, fields, limits)
        if page is not None:
            yield page


def _read_fields(stream: _PlainStream | _GzipStream, path: Path, limits: Limits) -> dict[str, str]:
    lines: list[bytes] = []
    num_bytes = 0
    while True:
        line = stream.readline(limits.header_bytes)
        if not line.endswith(b"\n"):
            raise FormatError("the file ends inside a record's header", path=path, offset=stream.start, hint=_CUT_HINT)
        if line in (b"\r\n", b"\n"):
            return _parse_fields(lines, "utf-8")
        num_bytes += len(line)
        if num_bytes > limits.header_bytes:
            raise FormatError(
                "a record's header is too long", path=path, offset=stream.start, allowed=f"{limits.header_bytes} bytes"
            )
        lines.append(line)


def _parse_fields(lines: list[bytes], encoding: str) -> dict[str, str]:
    """Header lines to a mapping with lower-case names; folded lines are joined, repeated ones put behind commas."""
    fields: dict[str, str] = {}
    name = ""
    for raw in lines:
        line = raw.decode(encoding, "replace").rstrip("\r\n")
        if line[:1] in (" ", "\t"):
            if name:
                fields[name] += " " + line.strip()
            continue
        name, colon, value = line.partition(":")
        name = name.strip().lower()
        if not colon or not name:
            name = ""
            continue
        fields[name] = f"{fields[name]}, {value.strip()}" if name in fields else value.strip()
    return fields


def _read_block(
    stream: _PlainStream | _GzipStream, path: Path, fields: Mapping[str, str], limits: Limits
) -> Page | None:
    """Read one record's block whole, keeping it only where it holds a page."""
    length = fields.get("content-length", "")
    if not (length.isascii() and length.isdigit()):
        raise FormatError("a record without a length", path=path, field="Content-Length", offset=stream.start)
    left = int(length)
    kind = fields.get("warc-type", "").lower()
    wanted = min(left, limits.page_bytes + limits.header_bytes) if kind in ("response", "resource") else 0
    block = stream.read(wanted)
    left -= len(block)
    short = len(block) < wanted
    while left and not short:
        skipped = len(stream.read(min(left, _CHUNK_BYTES)))
        left -= skipped
        short = skipped == 0
    if short:
        raise FormatError("the file ends inside a record", path=path, offset=stream.start, hint=_CUT_HINT)
    if not wanted:
        return None
    where = WarcLocation(path.name, stream.start)
    url = fields.get("warc-target-uri", "").strip("<>")
    fetched = fields.get("warc-date", "")
    extra = {"warc-truncated": fields["warc-truncated"]} if "warc-truncated" in fields else {}
    if wanted < int(length):
        extra["warc-truncated"] = "length"
    if kind == "resource":
        headers = {"content-type": fields.get("content-type", ""), **extra}
        return Page(url=url, status=200, headers=headers, body=block[: limits.page_bytes], fetched=fetched, warc=where)
    parsed = _parse_http(block, limits)
    if parsed is None:  # not HTTP: a DNS answer, for one
        return None
    status, headers, body = parsed
    return Page(url=url, status=status, headers={**headers, **extra}, body=body, fetched=fetched, warc=where)


def _parse_http(block: bytes, limits: Limits) -> tuple[int, dict[str, str], bytes] | None:
    match = _STATUS_LINE.match(block)
    if match is None:
        return None
    end = re.compile(rb"\r?\n\r?\n").search(block)
    head, body = (block[: end.start()], block[end.end() :]) if end else (block, b"")
    headers = _parse_fields(head.splitlines(keepends=True)[1:], "latin-1")
    if "chunked" in headers.get("transfer-encoding", "").lower():
        body = _join_chunks(body)
        del headers["transfer-encoding"]
    body = _undo_encodings(body, headers, limits)
    if len(body) > limits.page_bytes:
        body = body[: limits.page_bytes]
        headers["warc-truncated"] = "length"
    return int(match[1]), headers, body


def _join_chunks(body: bytes) -> bytes:
    """Undo chunked transfer; a body that shows no chunk sizes was stored joined already and is left alone."""
    parts: list[bytes] = []
    position = 0
    while match := _CHUNK_SIZE.match(body, position):
        size = int(match[1], 16)
        parts.append(body[match.end() : match.end() + size])
        position = match.end() + size
        if size == 0:
            break
        if body.startswith(b"\r\n", position):
            position += 2
    return b"".join(parts) if position else body


def _undo_encodings(body: bytes, headers: dict[str, str], limits: Limits) -> bytes:
    """Undo Content-Encoding as far as it can be undone; what is left stays named in the header."""
    names = [name.strip().lower() for name in headers.get("content-encoding", "").split(",")]
    names = [name for name in names if name not in ("", "identity", "none")]
    if len(names) > limits.content_encodings:
        return body
    while names:
        inflated = _inflate(body, names[-1], limits.page_bytes + 1)
        if inflated is None:
            break
        body = inflated
        names.pop()
    headers.pop("content-encoding", None)
    if names:
        headers["content-encoding"] = ", ".join(names)
    return body


def _inflate(body: bytes, encoding: str, max_bytes: int) -> bytes | None:
    """Undo one encoding, giving at most ``max_bytes``; None where that is not possible."""
    if not body:
        return body
    if encoding in ("gzip", "x-gzip"):
        # Some archives inflate the body and keep the header: without the magic there is nothing to undo.
        return _inflate_zlib(body, 31, max_bytes) if body.startswith(_GZIP_MAGIC) else body
    if encoding == "deflate":
        inflated = _inflate_zlib(body, 15, max_bytes)
        return _inflate_zlib(body, -15, max_bytes) if inflated is None else inflated
    if encoding == "zstd":
        import zstandard

        try:
            with zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(body) as reader:
                return reader.read(max_bytes)
        except zstandard.ZstdError:
            return None
    return None


def _inflate_zlib(body: bytes, window: int, max_bytes: int) -> bytes | None:
    try:
        # A stream cut short gives its head: the server closed early, and the page says so by its length.
        return zlib.decompressobj(window).decompress(body, max_bytes)
    except zlib.error:
        return None
