"""An encoding as a notebook shows it.

What enters: an encoding. What leaves: a table in HTML: number, piece, id, place and word of each token, and what it
reads as where pieces spell bytes. Promises: all text is escaped, so that no text that was encoded can do anything in
the page; the table is no longer than can be read.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from textpipe.core.byte_alphabet import to_bytes
from textpipe.encoding.visible import visible, visible_bytes

if TYPE_CHECKING:
    from textpipe.encoding import Encoding

__all__ = ["encoding_html"]

_MOST_ROWS = 200
_MOST_CHARS = 60
_COLORS = ("#e8f0fe", "#fef7e0", "#e6f4ea", "#fce8e6")  # words next to each other differ


def encoding_html(encoding: Encoding) -> str:
    """The table of an encoding."""
    rows = []
    spells_bytes = encoding._columns.spells_bytes
    columns = (encoding.tokens, encoding.ids, encoding.offsets, encoding.word_ids, encoding.special_tokens_mask)
    for number, (token, token_id, (begin, end), word, special) in enumerate(zip(*columns, strict=True)):
        if number == _MOST_ROWS:
            break
        shown = _cut(visible(token[:_MOST_CHARS]), token)
        style = "" if word is None else f' style="background:{_COLORS[word % len(_COLORS)]}"'
        name = f"<i>{shown}</i>" if special else shown
        place = "" if word is None else f"{begin}–{end}"
        rows.append(
            f"<tr><td>{number}</td><td{style}><code>{name}</code></td>"
            + (f"<td><code>{'' if special else _reading(token)}</code></td>" if spells_bytes else "")
            + f"<td>{token_id}</td><td>{place}</td><td>{'' if word is None else word}</td></tr>"
        )
    more = len(encoding) - len(rows)
    names = ("", "token", *(("reads",) if spells_bytes else ()), "id", "characters", "word")
    foot = f"<tr><td colspan={len(names)}>… and {more} more</td></tr>" if more else ""
    head = "".join(f"<th>{name}</th>" for name in names)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}{foot}</tbody></table>"


def _reading(token: str) -> str:
    """What a piece of bytes reads as; an added token is no such piece."""
    data = to_bytes(token)
    return _cut(visible(token[:_MOST_CHARS]) if data is None else visible_bytes(data[:_MOST_CHARS]), token)


def _cut(shown: str, token: str) -> str:
    """The beginning of a token, escaped, with a mark where there is more."""
    return escape(shown + ("…" if len(token) > _MOST_CHARS else ""))
