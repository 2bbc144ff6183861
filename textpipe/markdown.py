"""Tables and spans of code for the cards that stand beside what was made.

What enters: text of any kind. What leaves: Markdown in which that text is text: a bar ends no cell, a backtick no code.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["code", "table"]


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table with a row a line.

    Examples
    --------
    >>> print(table(("a", "b"), [("x|y", 1)]))
    | a | b |
    |---|---|
    | x\\|y | 1 |
    """
    lines = [_row(head), "|" + "---|" * len(head), *map(_row, rows)]
    return "\n".join(lines)


def _row(cells: Iterable[object]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def code(text: str) -> str:
    """A span of code, between more backticks than the text holds.

    Examples
    --------
    >>> print(code("a"), code("`"))
    `a` `` ` ``
    """
    fence = "`"
    while fence in text:
        fence += "`"
    return f"{fence}{text}{fence}" if len(fence) == 1 else f"{fence} {text} {fence}"
