"""Rows of figures on standard output: columns for a person at a terminal, tabs for a program that reads on.

What enters: rows of cells. What leaves: a line each. Columns are as wide as what is in them, Hangul two places a
syllable; the last one may be of any length.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from itertools import zip_longest

__all__ = ["print_rows"]

_GAP = 2
_WIDEST = 28  # a longer cell pushes its own row on, not all rows


def print_rows(rows: Iterable[Sequence[str]]) -> None:
    """Print ``rows``, whose cells are text without line ends."""
    listed = [list(row) for row in rows]
    if not sys.stdout.isatty():
        for row in listed:
            print("\t".join(row))
        return
    from rich.cells import cell_len

    widths = [
        max([size for size in map(cell_len, column) if size <= _WIDEST], default=0)
        for column in zip_longest(*(row[:-1] for row in listed), fillvalue="")
    ]
    for row in listed:
        *head, last = row
        line = "".join(
            cell + " " * (max(width - cell_len(cell), 0) + _GAP) for cell, width in zip(head, widths, strict=False)
        )
        print(line + last)
