"""A few megabytes of the inputs, to measure a vocabulary on, or to tell beforehand what a training will take.

What enters: files. What leaves: their documents, or some from places all over them: what a text begins with is seldom
like the rest. Promises: as much of each file as it is of the whole, the same each time; every file has a part where
there are not too many; packed files and Parquet, in which no place can be found, give what they begin with; files of
counts hold no text and give nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path

from textpipe.errors import FormatError, InputError
from textpipe.records import Document
from textpipe.sources import (
    PACKED_SUFFIXES,
    TEXT_COLUMN,
    InvalidUtf8,
    LineReader,
    cut_at_space,
    inflated_bytes,
    is_jsonl,
    is_parquet,
    iter_documents,
)
from textpipe.trainers.counts_file import is_counts_file

__all__ = ["MEASURED_BYTES", "sample_documents", "spread_documents", "text_bytes"]

MEASURED_BYTES = 4 << 20
"""Of text that a vocabulary is measured on."""
_PLACES = 256
_CHUNK_BYTES = 1 << 16
_BLOCK_CHARS = 4096  # a line of plain text is too little to tell its language by
_PACKED_RATIO = 4  # inflated bytes to packed ones, of text
_TEXT_SHARE = 0.9  # of a line of JSON


def sample_documents(
    paths: Iterable[Path],
    invalid_utf8: InvalidUtf8 = "refuse",
    *,
    text_column: str = TEXT_COLUMN,
    num_bytes: int = MEASURED_BYTES,
) -> Iterator[Document]:
    """Documents that have a language, from all over the files, about ``num_bytes`` in all."""
    reader = LineReader(chunk_bytes=_CHUNK_BYTES, invalid_utf8=invalid_utf8, text_column=text_column)
    for documents in spread_documents(paths, reader, num_bytes):
        lines: list[str] = []
        size = 0
        for document in documents:
            if document.lang != "und":
                yield document
                continue
            lines.append(document.text)
            size += len(document.text)
            if size > _BLOCK_CHARS:
                yield _block(lines)
                lines, size = [], 0
        if lines:
            yield _block(lines)


def spread_documents(paths: Iterable[Path], reader: LineReader, num_bytes: int) -> Iterator[Iterator[Document]]:
    """For each place that is read, its documents; all there are where the files hold no more than ``num_bytes``."""
    texts = [path for path in paths if not is_counts_file(path)]
    sizes = [text_bytes(path) for path in texts]
    whole = sum(sizes)
    if whole <= num_bytes:
        yield from (_first_documents(path, reader, whole) for path in texts)
        return
    each = max(num_bytes // _PLACES, 1)
    for path, size, places in zip(texts, sizes, _places(sizes), strict=True):
        at = _documents_at(path, reader, [path.stat().st_size * place // size for place in places], each)
        yield at if at is not None else _first_documents(path, reader, each * len(places))


def _places(sizes: Sequence[int]) -> list[list[int]]:
    """Places in each file, as far from each other in all of them as can be; of the first files one at least."""
    ends = list(accumulate(sizes))
    found: list[list[int]] = [[] for _ in sizes]
    file = 0
    for number in range(_PLACES):
        place = ends[-1] * number // _PLACES
        while place >= ends[file]:
            file += 1
        found[file].append(place - (ends[file] - sizes[file]))
    return [places or ([0] if number < _PLACES else []) for number, places in enumerate(found)]


def _documents_at(path: Path, reader: LineReader, places: Sequence[int], num_bytes: int) -> Iterator[Document] | None:
    """The documents at places of a file; None where it has no lines that can be found in it."""
    if path.suffix.lower() in PACKED_SUFFIXES or is_parquet(path):
        return None
    chunks = []
    end = 0
    for place in places:
        if place < end:
            continue  # lines are long here: those of the last place went as far
        chunk = reader.read_at(path, place, num_bytes)
        if chunk is None:
            return None
        chunks.append(chunk)
        end = place + len(chunk)
    return (document for chunk in chunks for document in _parsed(path, chunk))


def _parsed(path: Path, chunk: bytes) -> Iterator[Document]:
    if is_jsonl(path):
        for line in filter(bytes.strip, chunk.splitlines()):
            try:
                yield Document.from_json(line)
            except InputError as error:
                shown = line[:40].decode(errors="replace")
                raise FormatError(error.what, path=path, field=f"the line {shown}…", allowed=error.allowed) from None
        return
    for text in chunk.decode().split("\n"):
        if text := text.removesuffix("\r").strip():
            yield Document(id="", text=text)


def _first_documents(path: Path, reader: LineReader, num_bytes: int) -> Iterator[Document]:
    """What a file begins with; a line of many megabytes is cut, since a sample is not to hold it."""
    if is_jsonl(path) or is_parquet(path):
        documents = iter_documents(path, reader=reader)
    else:
        documents = (document for chunk in reader.read(path, cut=_cut) for document in _parsed(path, chunk))
    seen = 0
    for document in documents:
        yield document
        seen += len(document.text.encode())
        if seen >= num_bytes:
            return


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


def text_bytes(path: Path) -> int:
    """About how many bytes of text a file holds, by its size and its name; 1 at least."""
    size = path.stat().st_size
    if path.suffix.lower() in PACKED_SUFFIXES:
        size = inflated_bytes(path) or size * _PACKED_RATIO
    elif is_parquet(path):
        size *= _PACKED_RATIO
    return max(size if not is_jsonl(path) else round(size * _TEXT_SHARE), 1)
