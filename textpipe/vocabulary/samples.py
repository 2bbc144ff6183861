"""A few megabytes of the inputs, to measure a vocabulary on.

What enters: files. What leaves: documents that have a language. Promises: the first text of every file, the same each
time; files of counts hold no text and give nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from textpipe.records import Document
from textpipe.sources import (
    TEXT_COLUMN,
    InvalidUtf8,
    LineReader,
    cut_at_space,
    is_jsonl,
    is_parquet,
    iter_documents,
)
from textpipe.trainers.counts_file import is_counts_file

__all__ = ["first_documents", "sample_documents"]

_SAMPLE_BYTES = 4 << 20
_LEAST_BYTES = 1 << 14  # of each file
_CHUNK_BYTES = 1 << 16
_BLOCK_CHARS = 4096  # a line of plain text is too little to tell its language by


def sample_documents(
    paths: Iterable[Path],
    invalid_utf8: InvalidUtf8 = "refuse",
    *,
    text_column: str = TEXT_COLUMN,
    num_bytes: int = _SAMPLE_BYTES,
) -> Iterator[Document]:
    """The first text of every file, about ``num_bytes`` in all."""
    reader = LineReader(chunk_bytes=_CHUNK_BYTES, invalid_utf8=invalid_utf8, text_column=text_column)
    texts = [path for path in paths if not is_counts_file(path)]
    budget = max(num_bytes // max(len(texts), 1), _LEAST_BYTES)
    for path in texts:
        seen = 0
        lines: list[str] = []
        for document in first_documents(path, reader):
            seen += len(document.text.encode())
            if document.lang != "und":
                yield document
            else:
                lines.append(document.text)
            if sum(map(len, lines)) > _BLOCK_CHARS:
                yield _block(lines)
                lines = []
            if seen >= budget:
                break
        if lines:
            yield _block(lines)


def first_documents(path: Path, reader: LineReader) -> Iterator[Document]:
    """The documents of a file; a line of many megabytes is cut, since a sample is not to hold it."""
    if is_jsonl(path) or is_parquet(path):
        yield from iter_documents(path, reader=reader)
        return
    for chunk in reader.read(path, cut=_cut):
        for line in chunk.decode().split("\n"):
            if text := line.removesuffix("\r").strip():
                yield Document(id="", text=text)


def _cut(text: bytes) -> int:
    """Where a long line is cut: at a space, or at least not within a character."""
    at = cut_at_space(text)
    if at > 0:
        return at
    at = len(text) - 1
    while at > 0 and text[at] & 0xC0 == 0x80:
        at -= 1
    return at


def _block(lines: list[str]) -> Document:
    from textpipe.clean.language import identify

    text = "\n".join(lines)
    return Document(id="", text=text, lang=identify(text)[0])
