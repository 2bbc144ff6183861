"""Parallel text on disk: pairs of a source and a target.

What enters: TSV files with two columns, JSONL with ``source`` and ``target``, or two text files whose lines belong
together. What leaves: pairs, in order. A line without its other half is refused with its number; where both sides are
of nothing but white space there is no pair.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from pathlib import Path

from textpipe.errors import FormatError, InputError, counted
from textpipe.sources import is_jsonl, iter_lines

__all__ = ["Pair", "iter_aligned", "iter_pairs"]

Pair = tuple[str, str]
StrPath = str | os.PathLike[str]
_SIDES = ("source", "target")


def iter_pairs(
    paths: Iterable[StrPath], *, columns: tuple[int, int] = (0, 1), keeps_empty: bool = False
) -> Iterator[Pair]:
    """The pairs of TSV and JSONL files (``.gz``, ``.zst``).

    Parameters
    ----------
    columns : which columns of a TSV hold source and target, from 0; (1, 0) turns the direction. JSONL says by name.
    keeps_empty : give pairs too of which a side, or both, is empty.

    Raises
    ------
    FormatError
        naming file and line, when a line has too few columns, lacks a key, or has one side only.
    """
    for path in paths:
        if not Path(path).is_file():
            raise InputError("no such file", where=path)
        read = _json_pair if is_jsonl(path) else _tsv_pair
        for number, line in enumerate(iter_lines(path), 1):
            if not line.strip() and not (keeps_empty and "\t" in line):
                continue
            pair = read(line, columns, path, number)
            turned = read is _json_pair and columns[0] > columns[1]  # its sides have names, whatever the direction
            if keeps_empty or _has_both(pair, path, path, number, ("target", "source") if turned else _SIDES):
                yield pair


def _has_both(pair: Pair, source: StrPath, target: StrPath, number: int, sides: tuple[str, str] = _SIDES) -> bool:
    """Whether there is a pair on a line; one half of a pair is refused."""
    empty = [not text.strip() for text in pair]
    if not any(empty):
        return True
    if all(empty):
        return False
    side, path = (sides[0], source) if empty[0] else (sides[1], target)
    raise FormatError(f"the {side} is empty", path=path, field=f"line {number}", hint="fill it, or leave the pair out")


def _tsv_pair(line: str, columns: tuple[int, int], path: StrPath, number: int) -> Pair:
    cells = line.split("\t")
    if len(cells) <= max(columns):
        raise FormatError(
            counted(len(cells), "column"),
            path=path,
            field=f"line {number}",
            allowed=f"{max(columns) + 1} or more, with tabs",
        )
    return cells[columns[0]], cells[columns[1]]


def _json_pair(line: str, columns: tuple[int, int], path: StrPath, number: int) -> Pair:
    try:
        row = json.loads(line)
        pair = row["source"], row["target"]
    except (ValueError, KeyError, TypeError):
        raise FormatError("not an object with source and target", path=path, field=f"line {number}") from None
    if not all(isinstance(text, str) for text in pair):
        raise FormatError("source and target must be strings", path=path, field=f"line {number}")
    return pair if columns[0] < columns[1] else pair[::-1]


def iter_aligned(source: StrPath, target: StrPath, *, keeps_empty: bool = False) -> Iterator[Pair]:
    """The pairs of two text files: line n of the one belongs to line n of the other.

    Raises
    ------
    FormatError
        naming the line at which the shorter file ends, or where one file alone has text, unless ``keeps_empty``.
    """
    for path in (source, target):
        if not Path(path).is_file():
            raise InputError("no such file", where=path)
    for number, (one, other) in enumerate(zip_longest(iter_lines(source), iter_lines(target)), 1):
        if one is None or other is None:
            shorter, longer = (source, target) if one is None else (target, source)
            raise FormatError(
                f"ends before line {number}, which {Path(longer).name} has", path=shorter, field=f"line {number}"
            )
        if keeps_empty or _has_both((one, other), source, target, number):
            yield one, other
