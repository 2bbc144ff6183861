"""A picture of an alignment: which tokens of a source had a part in which token of a target.

What enters: the tokens of both sides, and a share for each pair of them. What leaves: an SVG with a row for each token
of the target and a column for each of the source, the darker the larger the share.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from unicodedata import east_asian_width

from textpipe.errors import InputError

__all__ = ["attention_picture"]

_CELL, _GAP, _FONT = 26, 10, 13
_LONGEST = 24  # characters of a name; of a longer one the beginning is shown
_SLANT = 0.71  # names of columns rise at 45 degrees, so that neighbours do not cover each other


def attention_picture(source: Sequence[str], target: Sequence[str], shares: Sequence[Sequence[float]]) -> str:
    """The SVG.

    Parameters
    ----------
    source, target : what names columns and rows.
    shares : a row for each token of the target, each between 0 and 1.

    Raises
    ------
    InputError
        when there is not one share for each pair.

    Examples
    --------
    >>> attention_picture(["sea"], ["바다"], [[1.0]]).count("<rect")
    2
    """
    if len(shares) != len(target) or any(len(row) != len(source) for row in shares):
        raise InputError("not a share for each pair of tokens", allowed=f"{len(target)} rows of {len(source)}")
    columns, rows = ([_beginning(name) for name in names] for names in (source, target))
    left = _GAP * 2 + max(map(_width, rows), default=0)
    top = _GAP * 2 + _SLANT * max(map(_width, columns), default=0)
    ends = [left + _CELL * (place + 0.5) + _SLANT * _width(name) for place, name in enumerate(columns)]
    width, height = round(max([left + _CELL * len(columns), *ends]) + _GAP), round(top + _CELL * len(rows) + _GAP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" '
        f'font-size="{_FONT}"><title>attention: {escape(" ".join(source))}</title>'
        '<rect width="100%" height="100%" fill="white"/>'
    ]
    for place, name in enumerate(columns):
        x, y = left + _CELL * (place + 0.5), top - _GAP
        parts.append(f'<text x="{x:g}" y="{y:g}" transform="rotate(-45 {x:g} {y:g})">{escape(name)}</text>')
    for place, (name, row) in enumerate(zip(rows, shares, strict=True)):
        y = top + _CELL * place
        parts.append(f'<text x="{left - _GAP:g}" y="{y + 18:g}" text-anchor="end">{escape(name)}</text>')
        parts += [
            f'<rect x="{left + _CELL * column:g}" y="{y:g}" width="{_CELL - 1}" height="{_CELL - 1}" fill="#1f4e9c" '
            f'fill-opacity="{value:.3f}" stroke="#dddddd"><title>{value:.3f}</title></rect>'
            for column, value in enumerate(row)
        ]
    return "".join([*parts, "</svg>\n"])


def _beginning(name: str) -> str:
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"


def _width(name: str) -> float:
    """About as wide as a name is printed: Hangul and Chinese characters are square."""
    return _FONT * sum(1.0 if east_asian_width(character) in "WF" else 0.62 for character in name)
