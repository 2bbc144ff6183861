"""Text and bytes as a person can see them.

What enters: any text, or the bytes of a piece. What leaves: text with blanks that can be seen, in which no character
moves a cursor, colours a terminal or turns the direction of a page around.
"""

from __future__ import annotations

import re

__all__ = ["visible", "visible_bytes"]

_JOINERS = "\u200c\u200d"  # they make one emoji of several, and one syllable of several letters
_PICTURES = {chr(code): chr(0x2400 + code) for code in range(0x20)}
_SHOWN = _PICTURES | {" ": "␣", "\n": "⏎", "\t": "⇥", "\x7f": "␡"}
_UNREAD = re.compile("([\udc80-\udcff]+)")


def visible(text: str) -> str:
    """The text with blanks one can see, and in place of what has no shape of its own a picture or its number.

    Examples
    --------
    >>> print(visible("밥을 먹고\\n"), visible("\\x1b[31m"), visible("\\u202e"))
    밥을␣먹고⏎ ␛[31m ‹202e›
    """
    return "".join([_SHOWN.get(each) or (each if _has_shape(each) else f"‹{ord(each):x}›") for each in text])


def visible_bytes(data: bytes) -> str:
    """The text that bytes are, as :func:`visible` has it; bytes that are only part of a character in hexadecimal.

    Examples
    --------
    >>> print(visible_bytes(" 밥".encode()[:3]))
    ␣‹eb b0›
    """
    text = data.decode("utf-8", "surrogateescape")
    parts = _UNREAD.split(text)  # between parentheses: every other one is such a run
    parts[1::2] = [f"‹{run.encode('ascii', 'surrogateescape').hex(' ')}›" for run in parts[1::2]]
    parts[::2] = map(visible, parts[::2])
    return "".join(parts)


def _has_shape(character: str) -> bool:
    return character.isprintable() or character in _JOINERS
