"""A picture of an alignment: which tokens of a source had a part in which token of a target.

What enters: the tokens of both sides, and a share for each pair of them. What leaves: an SVG with a row for each token
of the target and a column for each of the source, the darker the larger the share.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from textpipe.errors import InputError

__all__ = ["attention_picture"]

_CELL, _MARGIN = 26, 64


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
    width, height = (_MARGIN + _CELL * len(names) + 8 for names in (source, target))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" '
        f'font-size="13"><title>attention: {escape(" ".join(source))}</title>'
        '<rect width="100%" height="100%" fill="white"/>'
    ]
    for place, name in enumerate(source):
        x = _MARGIN + _CELL * place + _CELL / 2
        parts.append(f'<text x="{x}" y="{_MARGIN - 10}" text-anchor="middle">{escape(name)}</text>')
    for place, (name, row) in enumerate(zip(target, shares, strict=True)):
        y = _MARGIN + _CELL * place
        parts.append(f'<text x="{_MARGIN - 10}" y="{y + 18}" text-anchor="end">{escape(name)}</text>')
        parts += [
            f'<rect x="{_MARGIN + _CELL * column}" y="{y}" width="{_CELL - 1}" height="{_CELL - 1}" fill="#1f4e9c" '
            f'fill-opacity="{value:.3f}" stroke="#dddddd"><title>{value:.3f}</title></rect>'
            for column, value in enumerate(row)
        ]
    return "".join([*parts, "</svg>\n"])
