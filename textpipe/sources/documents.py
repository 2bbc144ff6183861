"""Documents and texts in files, one by one.

What enters: paths. What leaves: documents: ``.jsonl`` holds one a line, ``.parquet`` one a row, every other file is
text that gives one a line, a paragraph or a file. A file that is damaged gives all that is whole and then a
:class:`~textpipe.errors.FormatError` with the file, the line or the byte.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from textpipe.errors import FormatError, InputError, LimitError
from textpipe.limits import DEFAULT_LIMITS, Limits
from textpipe.records import Document
from textpipe.sources.columns import iter_parquet_texts
from textpipe.sources.lines import LineReader
from textpipe.sources.paths import Inputs, expand, is_jsonl, is_parquet

__all__ = ["TextUnit", "iter_documents", "iter_texts"]

TextUnit = Literal["line", "paragraph", "file"]


def iter_documents(
    inputs: Inputs,
    *,
    text_unit: TextUnit = "line",
    limits: Limits = DEFAULT_LIMITS,
    reader: LineReader | None = None,
) -> Iterator[Document]:
    """Every document of ``inputs`` in order.

    A Parquet file gives a document a row, from the column that ``reader`` names. A text file gives a document a line, a
    paragraph (blank lines between) or a file, as ``text_unit`` says; its line ends are dropped and empty ones are
    passed over. Document ids of both are ``name:number``. ``reader`` is how bytes are read that are not UTF-8.
    """
    reader = reader or LineReader(limits=limits)
    for path in expand(inputs):
        if is_jsonl(path):
            yield from _iter_jsonl(path, reader, limits)
        else:
            texts = (
                iter_parquet_texts(path, reader.text_column)
                if is_parquet(path)
                else _iter_units(path, text_unit, reader)
            )
            for number, text in enumerate(texts):
                yield Document(id=f"{path.name}:{number}", text=text, source=path.name)


def iter_texts(inputs: Inputs, *, text_unit: TextUnit = "line", reader: LineReader | None = None) -> Iterator[str]:
    """The texts of :func:`iter_documents` alone."""
    for document in iter_documents(inputs, text_unit=text_unit, reader=reader):
        yield document.text


def _iter_jsonl(path: Path, reader: LineReader, limits: Limits) -> Iterator[Document]:
    number = 0
    for chunk in reader.read(path):
        for line in chunk.splitlines():
            number += 1
            if len(line) > limits.line_bytes:
                raise LimitError(
                    "a document is too long", where=f"{path}: line {number}", allowed=f"{limits.line_bytes} bytes"
                )
            if not line.strip():
                continue
            try:
                yield Document.from_json(line)
            except InputError as error:
                raise FormatError(error.what, path=path, field=f"line {number}", allowed=error.allowed) from None


def _iter_units(path: Path, unit: TextUnit, reader: LineReader) -> Iterator[str]:
    lines: list[str] = []
    for chunk in reader.read(path):
        # a chunk ends at a line end; what stands after its last newline is no line of the file
        for line in chunk.decode("utf-8").removesuffix("\n").split("\n"):
            text = line.removesuffix("\r")
            if unit == "line":
                if text.strip():
                    yield text
            elif text.strip() or unit == "file":
                lines.append(text)
            elif lines:
                yield "\n".join(lines)
                lines = []
    if lines and "".join(lines).strip():
        yield "\n".join(lines)
