"""Undoing Content-Encoding in small steps, so that a bomb is noticed before it is in memory.

What enters: the bytes of a body as they arrive. What leaves: inflated pieces of at most 64 KiB. Encodings may be nested
to the depth of :class:`~textpipe.limits.Limits`; a ratio above the cap is a :class:`~textpipe.errors.LimitError`. The
caller counts the pieces and stops when it has enough: nothing runs ahead of it.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from textpipe.errors import InputError, LimitError
from textpipe.limits import DEFAULT_LIMITS, Limits

__all__ = ["Inflater", "inflate_gzip", "is_gzip"]

_STEP_BYTES = 1 << 16
_RATIO_FROM_BYTES = 1 << 20  # below this a high ratio is only a short, repetitive page
_GZIP_MAGIC = b"\x1f\x8b"
_WINDOW_BITS = {"gzip": 31, "x-gzip": 31}


def is_gzip(data: bytes) -> bool:
    """Whether ``data`` begins as a gzip file does."""
    return data.startswith(_GZIP_MAGIC)


class _Layer:
    """One encoding. Several gzip members in a row are one stream; what follows the end is ignored, as browsers do."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.held = b""
        self.stream: zlib._Decompress | None = None
        self.finished = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        data, self.held = self.held + data, b""
        while data and not self.finished:
            if self.stream is None:
                if len(data) < 2:
                    self.held = data  # two bytes tell zlib from raw deflate, and a next member from padding
                    return
                self.stream = zlib.decompressobj(_WINDOW_BITS.get(self.name) or _deflate_bits(data))
            piece = self.stream.decompress(data, _STEP_BYTES)
            if piece:
                yield piece
            if self.stream.eof:
                data = self.stream.unused_data
                self.finished = not (self.name != "deflate" and is_gzip(data))
                self.stream = None
            else:
                data = self.stream.unconsumed_tail
                while not data and len(piece) == _STEP_BYTES:  # all input taken, output still inside
                    piece = self.stream.decompress(b"", _STEP_BYTES)
                    if piece:
                        yield piece
                if self.stream.eof and not data:
                    data, self.finished, self.stream = b"", True, None


def _deflate_bits(data: bytes) -> int:
    """``deflate`` means zlib, but some servers send it raw: RFC 9110 §8.4.1.2 asks to accept both."""
    is_zlib = data[0] & 0x0F == 8 and (data[0] << 8 | data[1]) % 31 == 0
    return 15 if is_zlib else -15


class Inflater:
    """A chain of encodings, outermost last as in the header.

    Raises
    ------
    InputError
        when an encoding is not known, or (while feeding) the bytes are not of that encoding.
    LimitError
        when there are too many encodings, or the inflated size outgrows the wire size by more than the ratio cap.
    """

    def __init__(self, header: str, limits: Limits = DEFAULT_LIMITS) -> None:
        names = [name for name in (part.strip().lower() for part in header.split(",")) if name and name != "identity"]
        unknown = [name for name in names if name not in ("gzip", "x-gzip", "deflate")]
        if unknown:
            raise InputError(f"content encoding {unknown[0][:40]!r} was not asked for", allowed="gzip, deflate")
        if len(names) > limits.content_encodings:
            raise LimitError(f"{len(names)} content encodings in one another", allowed=f"{limits.content_encodings}")
        self._layers = [_Layer(name) for name in reversed(names)]
        self._ratio = limits.inflate_ratio
        self.wire_bytes = 0
        self.num_bytes = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Inflate the next bytes of the body; pieces come as they are asked for."""
        self.wire_bytes += len(data)
        for piece in self._through(data, 0):
            self.num_bytes += len(piece)
            if self.num_bytes > max(_RATIO_FROM_BYTES, self._ratio * self.wire_bytes):
                raise LimitError(
                    f"{self.wire_bytes} bytes inflate to more than {self.num_bytes}",
                    allowed=f"{self._ratio} times as many",
                )
            yield piece

    def _through(self, data: bytes, layer: int) -> Iterator[bytes]:
        if layer == len(self._layers):
            yield data
            return
        try:
            for piece in self._layers[layer].feed(data):
                yield from self._through(piece, layer + 1)
        except zlib.error as error:
            raise InputError(f"the body is not {self._layers[layer].name}: {error}") from None


def inflate_gzip(data: bytes, max_bytes: int, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """Inflate a whole gzip file held in memory (a ``sitemap.xml.gz``).

    Raises
    ------
    LimitError
        when it inflates to more than ``max_bytes``.
    """
    out = bytearray()
    for piece in Inflater("gzip", limits).feed(data):
        out += piece
        if len(out) > max_bytes:
            raise LimitError("the file inflates to too much", allowed=f"{max_bytes} bytes")
    return bytes(out)
