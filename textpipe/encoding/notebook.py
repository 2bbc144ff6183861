"""An encoding as a notebook shows it.

What enters: an encoding. What leaves: a table in HTML: number, piece, id, place and word of each token. Promises: all
text is escaped, so that no text that was encoded can do anything in the page; the table is no longer than can be read.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from textpipe.encoding.visible import visible

if TYPE_CHECKING:
    from textpipe.encoding import Encoding

__all__ = ["encoding_html"]

_MOST_ROWS = 200
_MOST_CHARS = 60
_COLORS = ("#e8f0fe", "#fef7e0", "#e6f4ea", "#fce8e6")  # words next to each other differ


def encoding_html(encoding: Encoding) -> str:
    """The table of an encoding."""
    rows = []
    columns = (encoding.tokens, encoding.ids, encoding.offsets, encoding.word_ids, encoding.special_tokens_mask)
    for number, (token, token_id, (begin, end), word, special) in enumerate(zip(*columns, strict=True)):
        if number == _MOST_ROWS:
            break
        shown = escape(visible(token[:_MOST_CHARS]) + ("…" if len(token) > _MOST_CHARS else ""))
        style = "" if word is None else f' style="background:{_COLORS[word % len(_COLORS)]}"'
        name = f"<i>{shown}</i>" if special else shown
        place = "" if word is None else f"{begin}–{end}"
        rows.append(
            f"<tr><td>{number}</td><td{style}><code>{name}</code></td><td>{token_id}</td><td>{place}</td>"
            f"<td>{'' if word is None else word}</td></tr>"
        )
    more = len(encoding) - len(rows)
    foot = f"<tr><td colspan=5>… and {more} more</td></tr>" if more else ""
    head = "".join(f"<th>{name}</th>" for name in ("", "token", "id", "characters", "word"))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}{foot}</tbody></table>"
