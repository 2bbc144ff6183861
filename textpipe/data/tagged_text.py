"""Tagged text on disk: words or characters with a tag each, sentence by sentence (CoNLL, KLUE-NER).

What enters: files with a token and its tag a line, in the first and the last column, and an empty line between
sentences. What leaves: the text of each sentence, what part of it each token is, and the tags. Columns are parted by
tabs; where a line has none, by white space. Lines that begin with ``## `` are comments, ``-DOCSTART-`` is no sentence.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from unicodedata import normalize

from textpipe.errors import FormatError, InputError
from textpipe.sources import iter_lines

__all__ = ["TaggedText", "iter_tagged"]


@dataclass(frozen=True, slots=True)
class TaggedText:
    """A sentence, the characters ``[begin, end)`` each token is, and its tags; ``where`` names file and first line."""

    text: str
    offsets: tuple[tuple[int, int], ...]
    tags: tuple[str, ...]
    where: str


def iter_tagged(path: str | os.PathLike[str], *, separator: Literal["", " "]) -> Iterator[TaggedText]:
    """The sentences of a file.

    Parameters
    ----------
    path : the file, also packed (``.gz``, ``.zst``).
    separator : what stands between two tokens of a text: a space where tokens are words (CoNLL), nothing where they are
        characters and spaces have a line of their own (KLUE).

    Raises
    ------
    InputError
        for a file that is not there.
    FormatError
        naming the line that has no tag.
    """
    if not Path(path).is_file():
        raise InputError("no such file", where=path)
    rows: list[tuple[str, str]] = []
    first = 1
    for number, line in enumerate(iter_lines(path), 1):
        if line.startswith(("## ", "-DOCSTART-")):
            continue
        if line.strip():
            first = first if rows else number
            rows.append(_row(line, path, number))
        elif rows:
            yield _joined(rows, separator, f"{path}: line {first}")
            rows = []
    if rows:
        yield _joined(rows, separator, f"{path}: line {first}")


def _row(line: str, path: str | os.PathLike[str], number: int) -> tuple[str, str]:
    cells = line.split("\t") if "\t" in line else line.split()
    if len(cells) < 2 or not cells[0] or not cells[-1].strip():
        raise FormatError(
            "a token without a tag", path=path, field=f"line {number}", allowed="token and tag, with a tab between"
        )
    return cells[0], cells[-1].strip()


def _joined(rows: list[tuple[str, str]], separator: str, where: str) -> TaggedText:
    offsets, at = [], 0
    for token, _ in rows:
        offsets.append((at, at + len(token)))
        at += len(token) + len(separator)
    return TaggedText(
        separator.join(token for token, _ in rows),
        tuple(offsets),
        tuple(normalize("NFC", tag) for _, tag in rows),
        where,
    )
