"""Token shards: the file that holds a tokenized corpus, and the split that reads several of them as one stream.

What enters: arrays of token ids, one a document. What leaves: ``train-00000.bin`` and the like, read back through a
memory map, so that a corpus of any size opens at once. All numbers are little-endian:

    header   64 bytes  magic "TXPTOKEN", version u32, bytes per token u32 (2 or 4), vocabulary size u64, eos id u64,
                       sha256 of the tokenizer (32 raw bytes)
    tokens             num_tokens ids, then zeros up to a multiple of 8 bytes
    offsets            num_documents + 1 int64: document d is tokens[offsets[d] : offsets[d + 1]], its eos included
    trailer  40 bytes  num_tokens u64, num_documents u64, bytes of text u64, crc32 of header and these three u32,
                       zero u32, magic "TXPTRAIL"

What is known beforehand stands in front and what is known afterwards at the end, so a shard is written in one pass and
never patched. Every size is checked against the file: one cut or lengthened anywhere, or another kind of file, is a
:class:`~textpipe.errors.FormatError`. The sha256 of each whole file stands in the manifest beside it.
"""

from __future__ import annotations

import os
import struct
import zlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from textpipe.errors import FormatError, InputError, StateError
from textpipe.limits import DEFAULT_LIMITS, Limits

__all__ = ["BegunSplit", "ShardInfo", "ShardWriter", "TokenShard", "TokenSplit", "token_dtype"]

TokenArray = npt.NDArray[np.uint16] | npt.NDArray[np.uint32]

MAGIC, END_MAGIC = b"TXPTOKEN", b"TXPTRAIL"
VERSION = 1
_HEADER = struct.Struct("<8sIIQQ32s")
_COUNTS = struct.Struct("<QQQ")
_TRAILER = struct.Struct("<QQQII8s")


def token_dtype(vocab_size: int) -> np.dtype[np.uint16] | np.dtype[np.uint32]:
    """The narrowest type that holds every id of a vocabulary: uint16 up to 65,536 entries, else uint32."""
    return np.dtype("<u2") if vocab_size <= 1 << 16 else np.dtype("<u4")


@dataclass(frozen=True, slots=True)
class ShardInfo:
    """What the header and the trailer of a shard say."""

    vocab_size: int
    eos_id: int
    tokenizer_sha256: str
    num_tokens: int = 0
    num_documents: int = 0
    text_bytes: int = 0


class ShardWriter:
    """Write one shard to a binary file that :mod:`textpipe.files` opened; memory is 8 bytes a document.

    Examples
    --------
    >>> import io
    >>> file = io.BytesIO()
    >>> writer = ShardWriter(file, ShardInfo(vocab_size=300, eos_id=0, tokenizer_sha256="00" * 32))
    >>> writer.write(np.array([5, 6, 0, 7, 0], dtype=np.uint16), np.array([0, 3, 5]), text_bytes=9)
    >>> writer.finish().num_documents
    2
    """

    def __init__(self, file: BinaryIO, info: ShardInfo) -> None:
        self._file = file
        self._info = info
        self._dtype = token_dtype(info.vocab_size)
        self._offsets = array("q", [0])
        self._text_bytes = 0
        self._header = _HEADER.pack(
            MAGIC, VERSION, self._dtype.itemsize, info.vocab_size, info.eos_id, bytes.fromhex(info.tokenizer_sha256)
        )
        file.write(self._header)

    @property
    def num_tokens(self) -> int:
        """Tokens written so far."""
        return self._offsets[-1]

    @property
    def num_documents(self) -> int:
        """Documents written so far."""
        return len(self._offsets) - 1

    def write(self, tokens: npt.NDArray[np.integer], offsets: npt.NDArray[np.int64], *, text_bytes: int) -> None:
        """Append documents: ``tokens`` end to end, the bounds of each in ``offsets`` (one more than documents)."""
        if len(tokens) and int(tokens.max()) >= self._info.vocab_size:
            raise StateError(
                f"token id {int(tokens.max())} is outside the vocabulary",
                allowed=f"0 … {self._info.vocab_size - 1}",
                hint="the tokenizer gives ids it does not have",
            )
        self._file.write(np.ascontiguousarray(tokens, dtype=self._dtype).tobytes())
        base = self.num_tokens
        self._offsets.extend((np.asarray(offsets[1:], dtype=np.int64) + base).tolist())
        self._text_bytes += text_bytes

    def finish(self) -> ShardInfo:
        """Write the offsets and the trailer; the file itself is closed by who opened it."""
        tokens_bytes = self.num_tokens * self._dtype.itemsize
        self._file.write(bytes(-tokens_bytes % 8))
        self._file.write(np.array(self._offsets, dtype="<i8").tobytes())
        counts = (self.num_tokens, self.num_documents, self._text_bytes)
        check = zlib.crc32(self._header + _COUNTS.pack(*counts))
        self._file.write(_TRAILER.pack(*counts, check, 0, END_MAGIC))
        return ShardInfo(self._info.vocab_size, self._info.eos_id, self._info.tokenizer_sha256, *counts)


class TokenShard:
    """One shard, memory-mapped: ``tokens``, ``offsets`` and what its header says in ``info``.

    Raises
    ------
    FormatError
        when the file is not a token shard, is of another version, is cut short or too long, or its parts disagree.
    """

    def __init__(self, path: str | os.PathLike[str], *, limits: Limits = DEFAULT_LIMITS) -> None:
        self.path = Path(path)
        size = self.path.stat().st_size
        if size < _HEADER.size:
            raise self._broken(f"{size} bytes are too few for a token shard", size, "header")
        if size > limits.shard_bytes:
            raise self._broken(f"{size} bytes are too many", limits.shard_bytes, "size")
        with open(self.path, "rb") as file:
            header = file.read(_HEADER.size)
            file.seek(max(0, size - _TRAILER.size))
            trailer = file.read(_TRAILER.size)
        item_bytes = self._read_header(header)
        self._read_trailer(trailer, header, size, item_bytes)
        self._map(item_bytes)

    def _broken(self, what: str, offset: int | None, field: str) -> FormatError:
        return FormatError(
            what, path=self.path, field=field, offset=offset, hint="make it again with textpipe pack from the documents"
        )

    def _read_header(self, header: bytes) -> int:
        magic, version, item_bytes, vocab_size, eos_id, digest = _HEADER.unpack(header)
        if magic != MAGIC:
            raise self._broken("not a token shard", 0, "magic")
        if version != VERSION:
            raise self._broken(f"version {version} is not one this release reads (it reads {VERSION})", 8, "version")
        if item_bytes not in (2, 4) or item_bytes < token_dtype(vocab_size).itemsize:
            raise self._broken(f"{item_bytes} bytes a token do not fit {vocab_size} ids", 12, "bytes per token")
        if eos_id >= vocab_size:
            raise self._broken(f"eos id {eos_id} is outside the vocabulary of {vocab_size}", 24, "eos id")
        self.info = ShardInfo(vocab_size, eos_id, digest.hex())
        return int(item_bytes)

    def _read_trailer(self, trailer: bytes, header: bytes, size: int, item_bytes: int) -> None:
        at = size - _TRAILER.size
        if at < _HEADER.size + 8 or trailer[-8:] != END_MAGIC:
            raise self._broken("the shard ends early: its trailer is not there", size, "trailer")
        num_tokens, num_documents, text_bytes, check, zero, _ = _TRAILER.unpack(trailer)
        if zero or check != zlib.crc32(header + _COUNTS.pack(num_tokens, num_documents, text_bytes)):
            raise self._broken("header or trailer was changed: the check sum differs", at, "trailer")
        self._offsets_at = _HEADER.size + num_tokens * item_bytes + (-num_tokens * item_bytes) % 8
        expected = self._offsets_at + 8 * (num_documents + 1) + _TRAILER.size
        if expected != size:
            raise self._broken(f"the file has {size} bytes where its trailer promises {expected}", size, "size")
        self.info = ShardInfo(
            self.info.vocab_size, self.info.eos_id, self.info.tokenizer_sha256, num_tokens, num_documents, text_bytes
        )

    def _map(self, item_bytes: int) -> None:
        whole = np.memmap(self.path, dtype=np.uint8, mode="r")
        tokens_end = _HEADER.size + self.info.num_tokens * item_bytes
        self.tokens: TokenArray = whole[_HEADER.size : tokens_end].view(f"<u{item_bytes}")
        self.offsets: npt.NDArray[np.int64] = whole[self._offsets_at : -_TRAILER.size].view("<i8")
        ends = (int(self.offsets[0]), int(self.offsets[-1]))
        if ends != (0, self.info.num_tokens) or bool((np.diff(self.offsets) <= 0).any()):
            raise self._broken(
                "document offsets do not rise from 0 to the number of tokens", self._offsets_at, "offsets"
            )


class TokenSplit:
    """Shards of one split read as one ring of tokens.

    A ring, because every document ends with eos: the last token of the split is the eos that stands before the first
    one. So each token, the first included, has a token before it, and a window may start anywhere.

    Parameters
    ----------
    paths : the shards, in order. All must be of one tokenizer.
    """

    def __init__(self, paths: Sequence[str | os.PathLike[str]]) -> None:
        if not paths:
            raise InputError("no token shards given", hint="make them with textpipe pack")
        self.shards = [TokenShard(path) for path in paths]
        first = self.shards[0].info
        for shard in self.shards[1:]:
            theirs = (shard.info.vocab_size, shard.info.eos_id, shard.info.tokenizer_sha256)
            if theirs != (first.vocab_size, first.eos_id, first.tokenizer_sha256):
                raise StateError(
                    f"shards of two tokenizers: {shard.info.tokenizer_sha256} here, {first.tokenizer_sha256} in "
                    f"{self.shards[0].path.name}",
                    where=shard.path,
                )
        self._starts = np.cumsum([0, *(len(shard.tokens) for shard in self.shards)])
        self._documents = np.cumsum([0, *(shard.info.num_documents for shard in self.shards)])
        self.num_tokens = int(self._starts[-1])
        self.num_documents = int(self._documents[-1])
        self.text_bytes = sum(shard.info.text_bytes for shard in self.shards)
        self.vocab_size, self.eos_id = first.vocab_size, first.eos_id
        self.tokenizer_sha256 = first.tokenizer_sha256
        if self.num_tokens == 0:
            raise InputError("this split holds no tokens", where=paths[0], hint="pack more documents, or another split")

    def window(self, start: int, length: int) -> npt.NDArray[np.int64]:
        """``length`` tokens of the ring from position ``start`` (which may be negative or past the end)."""
        out = np.empty(length, dtype=np.int64)
        filled = 0
        while filled < length:
            position = (start + filled) % self.num_tokens
            number = int(np.searchsorted(self._starts, position, side="right")) - 1
            inside = position - int(self._starts[number])
            piece = self.shards[number].tokens[inside : inside + length - filled]
            out[filled : filled + len(piece)] = piece
            filled += len(piece)
        return out

    def documents_of(self, start: int, length: int) -> npt.NDArray[np.int64]:
        """For each position of the same window, the number of its document (from the offsets, not from ids)."""
        out = np.empty(length, dtype=np.int64)
        filled = 0
        while filled < length:
            position = (start + filled) % self.num_tokens
            number = int(np.searchsorted(self._starts, position, side="right")) - 1
            shard, inside = self.shards[number], position - int(self._starts[number])
            count = min(length - filled, len(shard.tokens) - inside)
            places = np.arange(inside, inside + count)
            found = np.searchsorted(shard.offsets, places, side="right") - 1
            out[filled : filled + count] = found + int(self._documents[number])
            filled += count
        return out

    def counts(self) -> npt.NDArray[np.int64]:
        """How often each id occurs, read a block at a time."""
        total = np.zeros(self.vocab_size, dtype=np.int64)
        block = 1 << 22
        for shard in self.shards:
            for start in range(0, len(shard.tokens), block):
                total += np.bincount(shard.tokens[start : start + block], minlength=self.vocab_size)
        return total


class BegunSplit:
    """A split in which a mark stands before each document too, as encoders read them.

    It is read as the split itself is, and nothing is written or copied; memory is 8 bytes a document.

    Parameters
    ----------
    split : the documents.
    begin_id : the mark.
    """

    def __init__(self, split: TokenSplit, begin_id: int) -> None:
        self._split, self._begin_id = split, begin_id
        ends = np.cumsum([0, *(shard.info.num_tokens for shard in split.shards)])
        firsts = [shard.offsets[:-1] + end for shard, end in zip(split.shards, ends, strict=False)]
        self._begins = np.concatenate(firsts) + np.arange(split.num_documents)
        self.num_tokens = split.num_tokens + split.num_documents
        self.shards, self.vocab_size, self.eos_id = split.shards, split.vocab_size, split.eos_id

    def window(self, start: int, length: int) -> npt.NDArray[np.int64]:
        """As :meth:`TokenSplit.window`, with the marks."""
        places = np.arange(start, start + length) % self.num_tokens
        is_mark = self._begins[self.documents_of(start, length)] == places
        out = np.full(length, self._begin_id, dtype=np.int64)
        first = int(places[0]) - int(np.searchsorted(self._begins, places[0]))  # tokens of documents before the window
        out[~is_mark] = self._split.window(first, int((~is_mark).sum()))
        return out

    def documents_of(self, start: int, length: int) -> npt.NDArray[np.int64]:
        """As :meth:`TokenSplit.documents_of`; a mark is of the document it begins."""
        places = np.arange(start, start + length) % self.num_tokens
        return np.searchsorted(self._begins, places, side="right") - 1
