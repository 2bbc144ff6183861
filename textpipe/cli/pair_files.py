"""Parallel text on the command line: files of pairs, or two aligned files.

What enters: what was given for arguments and options. What leaves: pairs, in order.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from textpipe.errors import InputError

if TYPE_CHECKING:
    from textpipe.data.parallel_text import Pair

__all__ = ["COLUMNS", "PAIR_FILES", "columns_of", "pairs_of"]

PAIR_FILES: list[Path] = typer.Argument(None, help="TSV with two columns, or JSONL with source and target (.gz, .zst).")
COLUMNS: str = typer.Option("1,2", "--columns", help="Columns of source and target; 2,1 turns the direction.")


def columns_of(text: str) -> tuple[int, int]:
    parts = text.split(",")
    if len(parts) != 2 or not all(part.strip().isdigit() and int(part) > 0 for part in parts) or parts[0] == parts[1]:
        raise InputError(f"{text!r} are not two columns", where="--columns", allowed="two numbers from 1, as 1,2")
    return int(parts[0]) - 1, int(parts[1]) - 1


def pairs_of(
    files: list[Path],
    source: Path | None,
    target: Path | None,
    columns: tuple[int, int],
    names: str,
    *,
    keeps_empty: bool = False,
) -> Iterator[Pair]:
    from textpipe.data.parallel_text import iter_aligned, iter_pairs

    if source is not None and target is not None and not files:
        return iter_aligned(source, target, keeps_empty=keeps_empty)
    if files and source is None and target is None:
        return iter_pairs(files, columns=columns, keeps_empty=keeps_empty)
    if not files and (source is None) != (target is None):
        has, lacks = ("source", "target") if target is None else ("target", "source")
        raise InputError(f"a file of {has}s without one of {lacks}s", where=source or target, hint=f"give {names}")
    raise InputError("pairs are a file of pairs, or two aligned files", hint=f"give the one or the other: {names}")
