r"""Patterns made of runs of characters, for native steps.

What enters: a pattern in the syntax `tokenizers` takes. What leaves: its alternatives as rows of runs, or None where it
is made of more than that. Promises: a native step matches what the pattern matches, in time linear in the text: a
pattern where what a long run took might have to be given back, as in ``a+b``, is left to the pattern engine.

``[가-힣]+|[a-z]{1,3}|\s+(?!\S)|.`` is such a pattern: classes of characters, counted, one after the other, and at the
end of an alternative a class that must not follow.
"""

from __future__ import annotations

import functools
import re
from itertools import pairwise
from typing import NamedTuple

from textpipe.core import _text

__all__ = ["plain_alternatives"]

Ranges = list[tuple[int, int]]
Alternative = tuple[list[tuple[Ranges, int, int]], Ranges]
"""Runs, (characters, least, most; 0 for any number), and the characters that must not follow."""

_MOST_PARTS = 32  # alternatives, and runs of one
_MOST_LEAST = 19  # characters that a run must have: so many are looked at again and again where it is too short
_MOST_WAYS = 64  # to share text among the runs of an alternative

_SET = r"\[(?:\\.|[^\\\]\[])*(?:\[(?:\\.|[^\\\]\[])*\](?:\\.|[^\\\]\[])*)*\]"
_ONE = rf"(?:{_SET}|\\[pP]\{{\w+\}}|\\[^pP]|[^\\\[\](){{}}.*+?^$|])"
_MEMBER = re.compile(r"\\[pP]\{\w+\}|\\.|[^\\]", re.DOTALL)
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r"}
_SPACE = (("Zs", "Zl", "Zp"), _text.NEWLINE | _text.CONTROL_SPACE)
_COUNT = r"[?*+]|\{(?:\d{1,4}|\d{1,4},|,\d{1,4}|\d{1,4},\d{1,4})\}"
_RUN = re.compile(rf"(?P<one>{_ONE}|\.)(?P<count>{_COUNT})?(?P<possessive>\+)?", re.DOTALL)
_NOT_BEFORE = re.compile(rf"\(\?!(?P<one>{_ONE})\)(?=\||\Z)", re.DOTALL)


@functools.lru_cache(maxsize=256)
def plain_alternatives(pattern: str) -> tuple[Alternative, ...] | None:
    r"""The alternatives of a pattern, or None where it is not as plain as that.

    >>> plain_alternatives("a{2,}|b?(?!c)")  # the second may match nothing
    >>> plain_alternatives("a{2,}|bb?(?!c)")
    (([([(97, 97)], 2, 0)], []), ([([(98, 98)], 1, 1), ([(98, 98)], 0, 1)], [(99, 99)]))
    """
    made: list[Alternative] = []
    at = 0
    while len(made) < _MOST_PARTS:
        alternative, at = _alternative(pattern, at)
        if alternative is None or not _is_quick(alternative):
            return None
        made.append(([(run.characters, run.least, run.most) for run in alternative.runs], alternative.not_before))
        if at == len(pattern):
            return tuple(made)
        at += 1  # the bar
    return None


class _Run(NamedTuple):
    characters: Ranges
    least: int
    most: int  # 0 for any number
    is_possessive: bool


class _Row(NamedTuple):
    runs: list[_Run]
    not_before: Ranges


def _alternative(pattern: str, at: int) -> tuple[_Row | None, int]:
    """What stands from here to a bar or to the end, and where that is."""
    runs: list[_Run] = []
    not_before: Ranges = []
    while at < len(pattern) and pattern[at] != "|":
        ahead = _NOT_BEFORE.match(pattern, at)
        found = ahead or _RUN.match(pattern, at)
        characters = None if found is None else _characters(found["one"])
        if found is None or not characters:
            return None, at
        at = found.end()
        if ahead is not None:
            not_before = characters
            continue
        least, most = _counts(found["count"])
        is_repeated = found["possessive"] is not None and found["count"] is None  # "a++" is one, "a{2}+" is none
        if (found["possessive"] and (found["count"] or "{")[0] == "{") or is_repeated or 0 < most < least:
            return None, at
        runs.append(_Run(characters, least, most, found["possessive"] is not None))
    return _Row(runs, not_before), at


def _characters(one: str) -> Ranges | None:
    return _complement([(10, 10)]) if one == "." else _Class(one).ranges()


def _counts(count: str | None) -> tuple[int, int]:
    if count is None:
        return 1, 1
    if count in "?*+":
        return {"?": (0, 1), "*": (0, 0), "+": (1, 0)}[count]
    least, comma, most = count[1:-1].partition(",")
    if not comma:
        return int(least), int(least)
    return int(least or 0), int(most or 0)


def _is_quick(row: _Row) -> bool:
    """Whether it matches something, and is known soon to match or not, wherever it is tried."""
    runs, not_before = row
    if not any(run.least for run in runs) or len(runs) > _MOST_PARTS:
        return False
    ways = 1
    for number, run in enumerate(runs):
        rest = runs[number + 1 :]
        if run.least > _MOST_LEAST:
            return False
        if not not_before and not any(each.least for each in rest):
            continue  # what follows matches in any case, so nothing is given back
        if run.is_possessive and (rest or not_before):
            return False
        if run.most == 0:
            if rest or _overlap(run.characters, not_before):
                return False
            continue  # one character is given back, and then none of not_before follows
        ways *= run.most - run.least + 1
    return ways <= _MOST_WAYS


def _overlap(left: Ranges, right: Ranges) -> bool:
    return any(a[0] <= b[1] and b[0] <= a[1] for a in left for b in right)


class _Class:
    """A class of characters as written in a pattern."""

    def __init__(self, text: str) -> None:
        self.text = text

    def ranges(self) -> Ranges | None:
        """Its code points, or None where it uses what is not known here."""
        return self._set(0)[0] if self.text.startswith("[") else self._member(self.text)

    def _set(self, at: int) -> tuple[Ranges | None, int]:
        """What the bracket at this place opens, and where it ends; brackets within it are parts of the union."""
        negative = self.text.startswith("^", at + 1)
        at += 1 + negative
        found: Ranges = []
        is_first = True
        while is_first or self.text[at] != "]":
            part, at = self._part(at)
            if part is None:
                return None, at
            found += part
            is_first = False
        joined = _joined(found)
        return (_complement(joined) if negative else joined), at + 1

    def _part(self, at: int) -> tuple[Ranges | None, int]:
        """A character, a range, or a class, and where it ends."""
        member = _MEMBER.match(self.text, at)
        if member is None or member[0] == "]" or self.text.startswith(("&&", "[:"), at):
            return None, at
        if member[0] == "[":
            return self._set(at)
        low, at = self._member(member[0]), member.end()
        if low is None or self.text[at] != "-" or self.text[at + 1] == "]":
            return low, at
        if self.text[at + 1] == "[" and not _is_class(member[0]):
            return [], at + 1  # Oniguruma forgets the beginning of a range that ends in a bracket
        return self._range(member[0], at + 1)

    def _range(self, first: str, at: int) -> tuple[Ranges | None, int]:
        """From a character to the one at this place, where both are characters."""
        last = _MEMBER.match(self.text, at)
        if last is None or _is_class(first) or _is_class(last[0]) or self.text.startswith("&&", at):
            return None, at
        low, high = self._member(first), self._member(last[0])
        if not low or not high or low[0] > high[0]:
            return None, at
        return [(low[0][0], high[0][0])], last.end()

    def _member(self, text: str) -> Ranges | None:
        if not text.startswith("\\"):
            return [(ord(text), ord(text))]
        if text[1:3] in ("p{", "P{"):
            named = _category(text[3:-1])
            return None if named is None else _complement(named) if text[1] == "P" else named
        if text[1] in "sd":
            return _category(text[1])
        if text[1] in "SD":
            return _complement(_category(text[1].lower()) or [])
        if text[1] in _CONTROLS:
            code = ord(_CONTROLS[text[1]])
            return [(code, code)]
        return None if text[1].isalnum() else [(ord(text[1]), ord(text[1]))]


def _is_class(member: str) -> bool:
    return len(member) > 2 or (member[0] == "\\" and member[1] in "sSdD")


def _category(name: str) -> Ranges | None:
    """A general category, or all that begin with a letter; ``s`` and ``d`` are the classes of those names."""
    names = {"s": _SPACE[0], "d": ("Nd",)}.get(name)
    if names is None:
        names = tuple(each for each in _text.CATEGORIES if len(name) < 3 and each.startswith(name) and each != "C")
    if not names or name.startswith("C"):
        return None
    bits = sum(1 << _text.CATEGORIES.index(each) for each in names)
    return _text.category_ranges(bits | (_SPACE[1] if name == "s" else 0))


def _joined(ranges: Ranges) -> Ranges:
    made: Ranges = []
    for first, last in sorted(ranges):
        if made and first <= made[-1][1] + 1:
            made[-1] = (made[-1][0], max(made[-1][1], last))
        else:
            made.append((first, last))
    return made


def _complement(ranges: Ranges) -> Ranges:
    edges = [(-1, -1), *_joined(ranges), (0x110000, 0x110000)]
    gaps = ((left[1] + 1, right[0] - 1) for left, right in pairwise(edges))
    return [(first, last) for first, last in gaps if first <= last]
