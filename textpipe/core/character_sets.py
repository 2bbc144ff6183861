"""Sets of characters, looked up by code point.

What enters: a character. What leaves: whether it is in a set, or which script it has. Promises: the sets of
`tokenizers` 0.23.3 at every code point; each is built when first asked for.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cache

from textpipe.core import character_ranges

__all__ = ["CharacterSet", "character_set", "script_of", "script_ranges"]


class CharacterSet:
    """Ranges of code points.

    >>> "b" in CharacterSet("61-63 AC00-D7A3")
    True
    """

    __slots__ = ("_bounds",)

    def __init__(self, ranges: str) -> None:
        # Where a range begins and where it has ended, in turn: inside is past an odd number of them.
        self._bounds = [bound for first, last in _parse(ranges) for bound in (first, last + 1)]

    def __contains__(self, character: str) -> bool:
        return bisect_right(self._bounds, ord(character)) % 2 == 1


def _parse(ranges: str) -> list[tuple[int, int]]:
    found = []
    for word in ranges.split():
        first, _, last = word.partition("-")
        found.append((int(first, 16), int(last or first, 16)))
    return found


@cache
def character_set(name: str) -> CharacterSet:
    """A set by its name in character_ranges."""
    return CharacterSet(getattr(character_ranges, name))


@cache
def _scripts() -> tuple[list[int], list[int], list[int]]:
    rows = sorted(
        (first, last, script)
        for script, ranges in enumerate(character_ranges.SCRIPTS.split("/")[1:])
        for first, last in _parse(ranges)
    )
    return [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]


def script_of(character: str) -> int | None:
    """The number of the script of a character, None for one that goes with any; Hanja and kana are one script.

    >>> script_of("한") == script_of("ㅋ") != script_of("漢") == script_of("か")
    True
    """
    firsts, lasts, scripts = _scripts()
    at = bisect_right(firsts, ord(character)) - 1
    return scripts[at] if at >= 0 and ord(character) <= lasts[at] else None


def script_ranges(character: str) -> list[tuple[int, int]]:
    """The first and last code points of every range of the script of a character.

    >>> (0xAC00, 0xD7A3) in script_ranges("한")
    True
    """
    wanted = script_of(character)
    return [(first, last) for first, last, script in zip(*_scripts(), strict=True) if script == wanted]
