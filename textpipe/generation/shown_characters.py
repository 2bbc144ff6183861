"""When a piece of text may be shown: when no later one can still change what its last character looks like.

What enters: a text, piece by piece. What leaves: the same text in other pieces, each of which ends where a character
ends as a reader counts them (Unicode annex 29): a syllable of conjoining jamo, a letter with its marks, a family of
emoji or a flag come whole. So each piece waits for the beginning of the next character.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import regex

__all__ = ["in_shown_characters"]

_MOST = 64  # code points held back: one that has more (marks upon marks) is shown as it comes
_CHARACTER = regex.compile(r"\X")


def in_shown_characters(pieces: Iterable[str]) -> Iterator[str]:
    """The text of ``pieces``, cut between characters as a reader counts them.

    Examples
    --------
    >>> pieces = ["e", "\u0301t", "e", " 👩", "\u200d", "🌾"]
    >>> [len(shown) for shown in in_shown_characters(pieces)]
    [2, 1, 2, 3]
    """
    held = ""
    for piece in pieces:
        held += piece
        last = 0
        for found in _CHARACTER.finditer(held):
            last = found.start()
        if len(held) - last > _MOST:
            last = len(held)
        if last:
            yield held[:last]
            held = held[last:]
    if held:
        yield held
