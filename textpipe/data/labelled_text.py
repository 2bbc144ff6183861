"""Labelled text on disk: one text, or a pair of texts, and its label or score, a row.

What enters: TSV and CSV files with a line of column names, JSONL files, and JSON files that are one list of objects;
TSV, CSV and JSONL also packed (``.gz``, ``.zst``). What leaves: examples, in order, each with the line (in JSON the
object's number) it comes from, which every message about it names. Nothing is skipped: a row without its text or its
label is refused, unless a data set is known to have texts of nothing.

TSV has no quoting, so that a quotation mark is a character like any other; CSV has that of RFC 4180.
"""

from __future__ import annotations

import csv
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unicodedata import normalize

from textpipe.errors import FormatError, InputError, LimitError, counted, did_you_mean
from textpipe.files.reading import decode_text, read_bytes
from textpipe.limits import DEFAULT_LIMITS
from textpipe.sources import iter_lines

__all__ = ["Columns", "Example", "Labels", "iter_examples", "kind_of_file"]

StrPath = str | os.PathLike[str]
_TABBED = (".tsv", ".txt")


@dataclass(frozen=True, slots=True)
class Columns:
    """Where a row has its text, perhaps a second text, and perhaps its label; ``a.b`` is b within a (JSON).

    ``may_be_empty`` tells whether a text may be of nothing, as a few of some published files are.
    """

    text: str = "text"
    second: str | None = None
    label: str | None = "label"
    may_be_empty: bool = False


@dataclass(frozen=True, slots=True)
class Example:
    """A text, perhaps a second one, and its label (empty: none); ``where`` names file and line.

    A label is what is written, in NFC: ``1`` and ``1.0`` are two. JSON's true and false are labels too.
    """

    text: str
    second: str | None
    label: str
    where: str

    @property
    def score(self) -> float:
        """The label as a finite number.

        Raises
        ------
        InputError
            naming the line, when it is none.

        Examples
        --------
        >>> Example("가", "나", "4.750", "korsts.tsv: line 2").score
        4.75
        """
        try:
            number = float(self.label)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise InputError(f"the label {self.label!r} is not a number", where=self.where, allowed="such as 4.75")
        return number


class Labels:
    """The names of the labels a model is trained for, and their numbers from 0.

    Parameters
    ----------
    names : each once, in the order of their numbers.

    Examples
    --------
    >>> labels = Labels.of([Example("재미있다", None, "긍정", ""), Example("지루하다", None, "부정", "")])
    >>> labels.names, labels.id_of("부정", where="dev.tsv: line 3")
    (('긍정', '부정'), 1)
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._ids = {name: number for number, name in enumerate(self.names)}
        if not self.names:
            raise InputError("there are no labels", allowed="1 or more")
        if len(self._ids) != len(self.names):
            raise InputError("a label has two numbers", allowed="each name once")

    @classmethod
    def of(cls, examples: Iterable[Example]) -> Labels:
        """The labels of the training examples, sorted, so that their order in the file changes nothing."""
        return cls(sorted({example.label for example in examples}))

    def id_of(self, label: str, *, where: str) -> int:
        """The number of a label.

        Raises
        ------
        InputError
            naming ``where``, when training has no such label.
        """
        found = self._ids.get(label)
        if found is None:
            raise InputError(
                f"the label {label!r} does not occur in training", where=where, hint=did_you_mean(label, self.names)
            )
        return found


def iter_examples(path: StrPath, columns: Columns) -> Iterator[Example]:
    """The examples of a file.

    Parameters
    ----------
    path : ``.tsv`` (or ``.txt`` of such lines), ``.csv``, ``.jsonl`` or ``.json``.
    columns : where a row has what.

    Raises
    ------
    FormatError
        naming the line, for a row with too few or too many cells, no such column, or nothing in it.
    InputError
        for a file that is not there, or of another kind.

    Notes
    -----
    Memory is that of a line; a ``.json`` file is read whole, and its size is capped.
    """
    if not Path(path).is_file():
        raise InputError("no such file", where=path)
    for place, row in _rows(path):
        second = None if columns.second is None else _cell(row, columns.second, path, place)
        text = _cell(row, columns.text, path, place, may_be_empty=columns.may_be_empty)
        label = "" if columns.label is None else normalize("NFC", _cell(row, columns.label, path, place, is_label=True))
        yield Example(text, second, label, f"{path}: {place}")


def kind_of_file(path: StrPath) -> str:
    """The ending that says what a file is, packed or not.

    >>> kind_of_file("Reviews.TSV.gz")
    '.tsv'
    """
    return Path(Path(path).name.lower().removesuffix(".gz").removesuffix(".zst")).suffix


def _rows(path: StrPath) -> Iterator[tuple[str, Mapping[str, Any]]]:
    kind = kind_of_file(path)
    if kind == ".jsonl":
        return _jsonl_rows(path)
    if kind in _TABBED:
        return _table_rows(path, ((number, line.split("\t")) for number, line in _full_lines(path)))
    if kind == ".csv":
        return _table_rows(path, _csv_cells(path))
    if Path(path).suffix.lower() == ".json":
        return _json_rows(path)
    raise InputError("a file of an unknown kind", where=path, allowed=".tsv, .txt, .csv, .jsonl or .json")


def _full_lines(path: StrPath) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(iter_lines(path), 1):
        if line.strip():
            yield number, line


def _csv_cells(path: StrPath) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader((line + "\n" for line in iter_lines(path)), strict=True)
    begin = 1  # a quoted cell may have line ends, so a row is named by the line it begins at
    try:
        for cells in reader:
            if cells:
                yield begin, cells
            begin = reader.line_num + 1
    except csv.Error as error:
        raise FormatError(f"the quoting is broken: {error}", path=path, field=f"line {begin}") from None


def _table_rows(path: StrPath, rows: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    _, names = next(rows, (0, []))
    if not names:
        raise FormatError("the file is empty", path=path, allowed="a line of column names, then a row a line")
    if len(set(names)) != len(names):
        raise FormatError("two columns have the same name", path=path, field="line 1")
    for number, cells in rows:
        if len(cells) != len(names):
            raise FormatError(
                counted(len(cells), "cell"),
                path=path,
                field=f"line {number}",
                allowed=f"{len(names)}, as line 1 has names",
            )
        yield f"line {number}", dict(zip(names, cells, strict=True))


def _jsonl_rows(path: StrPath) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, line in _full_lines(path):
        row = _parsed(line, path, f"line {number}")
        if not isinstance(row, dict):
            raise FormatError("not a JSON object", path=path, field=f"line {number}")
        yield f"line {number}", row


def _json_rows(path: StrPath) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        data = read_bytes(path, DEFAULT_LIMITS.examples_json_bytes)
    except LimitError as error:
        hint = "write it as JSONL, which is read line by line"
        raise LimitError(error.what, where=path, allowed=error.allowed, hint=hint) from None
    rows = _parsed(decode_text(data, path), path, "the file")
    if not isinstance(rows, list):
        raise FormatError("not a list", path=path, allowed="[{…}, {…}], or JSONL in a file named .jsonl")
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise FormatError("not a JSON object", path=path, field=f"object {number}")
        yield f"object {number}", row


def _parsed(text: str, path: StrPath, place: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise FormatError(f"not JSON: {error}", path=path, field=place) from None
    except RecursionError:
        raise FormatError("nested too deep", path=path, field=place) from None


def _cell(
    row: Mapping[str, Any],
    column: str,
    path: StrPath,
    place: str,
    *,
    may_be_empty: bool = False,
    is_label: bool = False,
) -> str:
    value: Any = row
    for name in [column] if column in row else column.split("."):
        if not isinstance(value, Mapping) or name not in value:
            known = value if isinstance(value, Mapping) else row
            hints = [did_you_mean(name, map(str, known))]
            hints += ["line 1 has the names of the columns"] if kind_of_file(path) in (*_TABBED, ".csv") else []
            raise FormatError(f"no column {column!r}", path=path, field=place, hint="; ".join(filter(None, hints)))
        value = value[name]
    if isinstance(value, bool) and is_label:
        value = json.dumps(value)  # named as it is written
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise FormatError(f"{column} is neither text nor a number", path=path, field=place)
    text = str(value)
    if not (may_be_empty or text.strip()):
        raise FormatError(f"{column} is empty", path=path, field=place)
    return text
