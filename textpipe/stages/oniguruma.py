r"""Regular expressions as Oniguruma reads them.

What enters: a pattern in the syntax `tokenizers` takes, Oniguruma's Ruby syntax. What leaves: a pattern for the
``regex`` package, in its version 1 mode, that matches the same. Promises: the classes (``\w``, ``\d``, ``\s``, ``\h``,
``\p{…}``, ``[[:…:]]``) hold the characters of Unicode 16 that Oniguruma holds; ``^`` and ``$`` are the ends of lines;
``(?m)`` lets the dot match a newline; ``{2,3}+`` repeats, it does not possess; ``{`` that counts nothing is a brace.

Left as they are, and rare in patterns that cut text: calls of groups, absent groups, callouts, and case-insensitive
matches of several characters with one (``(?i)ss`` finds ß in both, but not every such pair is the same).
"""

from __future__ import annotations

import functools
import re

from textpipe.core import _text

__all__ = ["translate"]

_COUNT = re.compile(r"\{(\d*)(,?)(\d*)\}")
_GROUP = re.compile(r"\(\?(?:<?[=!]|[:>]|<[^=!>][^>]*>)|\(\?#[^)]*\)|\(\?([imx]*)(?:-([imx]*))?([:)])|\(")
_ESCAPE = re.compile(
    r"\\(?:x\{(?P<hex>[0-9A-Fa-f]{1,8})\}|x(?P<hex2>[0-9A-Fa-f]{1,2})|u(?P<hex4>[0-9A-Fa-f]{4})|(?P<octal>0[0-7]{0,2})"
    r"|[pP]\{(?P<name>\^?[^}]*)\}|(?P<other>.))",
    re.DOTALL,
)
_MOST = 10_000  # a count, times those of the groups around it; a million takes seconds to compile
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v", "a": "\a", "e": "\x1b"}
_ENDS = {"Z": r"(?=\n?\Z)", "z": r"\Z"}
_POSIX = {
    "alpha": r"\p{Alphabetic}",
    "digit": r"\p{Nd}",
    "alnum": r"\p{Alphabetic}\p{Nd}",
    "word": r"\p{Alphabetic}\p{M}\p{Nd}\p{Pc}",
    "upper": r"\p{Upper}",
    "lower": r"\p{Lower}ʕ",
    "punct": r"\p{P}\p{S}",
    "graph": r"\p{L}\p{M}\p{N}\p{P}\p{S}\p{Cf}\p{Co}",
    "print": r"\p{L}\p{M}\p{N}\p{P}\p{S}\p{Cf}\p{Co}\p{Zs}",
    "cntrl": r"\p{Cc}",
    "space": r"\s",
    "blank": r"\p{Zs}\t",
    "xdigit": "0-9A-Fa-f",
    "ascii": r"\x00-\x7F",
}
_CLASSES = {"w": _POSIX["word"], "d": _POSIX["digit"], "s": r"\s", "h": _POSIX["xdigit"]}
_NOTHING = r"[^\U00000000-\U0010FFFF]"  # on a side of && that is empty
_WORD = _POSIX["word"] + "²³¹¼-¾"  # outside brackets there are six more
# Names whose \p{…} is not the class in brackets, or where a newer Unicode moved a character.
_PROPERTIES = {
    **_POSIX,
    "punct": r"\p{P}",
    "word": _WORD,
    "ll": r"\p{Ll}ʕ",
    "lowercaseletter": r"\p{Ll}ʕ",
    "lo": r"[\p{Lo}--ʕ]",
    "otherletter": r"[\p{Lo}--ʕ]",
}


def translate(pattern: str) -> str:
    r"""The same pattern for ``regex.compile(…, regex.VERSION1)``.

    Raises
    ------
    ValueError
        when a bracket is not closed, a count is too large, or the pattern ends within an escape.

    Examples
    --------
    >>> translate(r"^가{,2}")
    '(?:\\A|(?<=\\n)(?!\\Z))가{0,2}'
    """
    reader = _Reader(pattern)
    made = reader.alternatives()
    if reader.at < len(pattern):
        raise ValueError(f"unmatched ) at place {reader.at}")
    return made


class _Reader:
    """One walk over a pattern."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.product = 1  # of the counts one in another, in what was read last

    def alternatives(self) -> str:
        """Up to the end, or to a closing parenthesis."""
        parts = []
        largest = 1
        while self.at < len(self.pattern) and self.pattern[self.at] != ")":
            self.product = 1
            parts.append(self._repeated(self._atom()))
            largest = max(largest, self.product)
        self.product = largest
        return "".join(parts)

    def _atom(self) -> str:
        character = self.pattern[self.at]
        if character == "(":
            return self._group()
        if character == "[":
            return self._set()
        if character == "\\":
            return self._escape()
        self.at += 1
        if character == "^":
            return r"(?:\A|(?<=\n)(?!\Z))"
        if character == "$":
            return r"(?=\n|\Z)"
        return character if character in "|.?*+" or character.isspace() else _literal(character)

    def _repeated(self, atom: str) -> str:
        while self.at < len(self.pattern):
            sign = self.pattern[self.at]
            if sign in "?*+":
                self.at += 1
                if self.pattern[self.at : self.at + 1] in ("?", "+"):
                    sign += self.pattern[self.at]
                    self.at += 1
                atom = f"(?:{atom}{sign})" if self._counts_next() else atom + sign
                continue
            count = _COUNT.match(self.pattern, self.at)
            if count is None or not (count[1] or count[3]):
                break
            self.product *= max(int(count[1] or 0), int(count[3] or 0), 1)
            if self.product > _MOST:
                raise ValueError(f"counts that come to more than {_MOST:,} at place {self.at}")
            self.at = count.end()
            atom += f"{{{count[1] or 0}{count[2]}{count[3]}}}"
            if count[2] and self.pattern[self.at : self.at + 1] == "?":  # lazy; after a plain number it is an option
                self.at += 1
                atom += "?"
            if self._counts_next():
                atom = f"(?:{atom})"
        return atom

    def _counts_next(self) -> bool:
        following = self.pattern[self.at : self.at + 1]
        return following in ("?", "*", "+") or (following == "{" and bool(_COUNT.match(self.pattern, self.at)))

    def _group(self) -> str:
        head = _GROUP.match(self.pattern, self.at)
        if head is None:
            raise ValueError(f"a group that is not known at place {self.at}")
        self.at = head.end()
        if head[0].startswith("(?#"):
            return ""
        opening = head[0]
        if head[3]:
            on, off = (flags.replace("m", "s") for flags in (head[1] or "", head[2] or ""))
            opening = f"(?{on}{'-' + off if off else ''}{head[3]}"
            if head[3] == ")":  # for the rest of this group
                return f"{opening[:-1]}:{self.alternatives()})"
        inside = self.alternatives()
        if self.at == len(self.pattern):
            raise ValueError("a ( is not closed")
        self.at += 1
        return f"{opening}{inside})"

    def _escape(self) -> str:
        found = self._match_escape()
        name = found["other"]
        if name in {"b", "B"}:
            word = _without_new(_WORD)
            after, before = ("?!", "?=") if name == "b" else ("?=", "?!")
            return f"(?:(?<={word})({after}{word})|(?<!{word})({before}{word}))"
        if name in _ENDS:
            return _ENDS[name]
        if name is not None and (name in "AGKRX" or name.isdigit()):
            return found[0]
        if name == "k":
            end = self.pattern.index(">", self.at) + 1
            reference, self.at = self.pattern[self.at : end], end
            return rf"(?P={reference[1:-1]})"
        if name in {"w", "W"}:
            return _without_new(_WORD, negative=name == "W")
        return self._set_of(found) or _literal(_character_of(found))

    def _match_escape(self) -> re.Match[str]:
        found = _ESCAPE.match(self.pattern, self.at)
        if found is None:
            raise ValueError("the pattern ends within an escape")
        self.at = found.end()
        return found

    def _set_of(self, found: re.Match[str]) -> str | None:
        """The class an escape stands for, or None when it is one character."""
        if found["name"] is not None:
            name = found["name"]
            negative = (found[0][1] == "P") != name.startswith("^")
            return _without_new(_property(name.lstrip("^")), negative=negative)
        name = found["other"]
        if name is not None and name.lower() in _CLASSES:
            return _without_new(_CLASSES[name.lower()], negative=name.isupper())
        return None

    def _set(self) -> str:
        """A bracket expression, with those inside it."""
        self.at += 1
        parts = ["["]
        if self.pattern.startswith("^", self.at):
            self.at += 1
            parts.append("^")
        first = True
        while first or not self.pattern.startswith("]", self.at):
            if self.at >= len(self.pattern):
                raise ValueError("a [ is not closed")
            member = self._member()
            if member == "&&" and parts[-1] in ("[", "^", "&&"):
                parts.append(_NOTHING)
            parts.append(member)
            first = False
        if parts[-1] == "&&":
            parts.append(_NOTHING)
        self.at += 1
        return "".join(parts) + "]"

    def _member(self) -> str:
        posix = re.compile(r"\[:(\^?)(\w+):\]").match(self.pattern, self.at)
        if posix is not None and posix[2] in _POSIX:
            self.at = posix.end()
            return _without_new(_POSIX[posix[2]], negative=bool(posix[1]))
        if self.pattern.startswith("&&", self.at):
            self.at += 2
            return "&&"
        if self.pattern[self.at] == "[":
            return self._set()
        return self._range_or_one()

    def _range_or_one(self) -> str:
        low = self._end_of_range()
        rest = self.pattern[self.at : self.at + 2]
        is_range = len(rest) == 2 and rest[0] == "-" and not self.pattern.startswith(("-]", "-&&"), self.at)
        if len(low) > 1 or not is_range:
            return low if len(low) > 1 else _literal(low)
        self.at += 1
        if rest[1] == "[" and not self.pattern.startswith("[:", self.at):
            return self._set()  # the beginning of a range that ends in a bracket is forgotten
        high = self._end_of_range()
        if len(high) > 1 or high < low:
            raise ValueError(f"a range that is none before place {self.at}")
        return f"{_literal(low)}-{_literal(high)}"

    def _end_of_range(self) -> str:
        """One character, or a class, which is longer."""
        if self.pattern[self.at] != "\\":
            self.at += 1
            return self.pattern[self.at - 1]
        found = self._match_escape()
        return "\b" if found["other"] == "b" else self._set_of(found) or _character_of(found)


def _literal(character: str) -> str:
    return character if character.isalnum() else f"\\U{ord(character):08X}"


def _character_of(found: re.Match[str]) -> str:
    code = found["hex"] or found["hex2"] or found["hex4"]
    if code is not None:
        return chr(int(code, 16))
    if found["octal"] is not None:
        return chr(int(found["octal"], 8))
    return _CONTROLS.get(found["other"], found["other"])


def _property(name: str) -> str:
    plain = name.replace("_", "").replace(" ", "").lower()
    return _PROPERTIES.get(plain) or rf"\p{{{name}}}"


def _without_new(members: str, *, negative: bool = False) -> str:
    """A set of what is in ``members`` and was in Unicode 16 already."""
    sign = "^" if negative else ""
    if members in (r"\p{C}", r"\p{Cn}", r"\p{Other}", r"\p{Unassigned}"):
        return f"[{sign}{members}{_new_characters()}]"
    if r"\p" not in members or members in (r"\p{Any}", r"\p{ASCII}"):
        return f"[{sign}{members}]"
    return f"[{sign}[{members}]--[{_new_characters()}]]"


@functools.cache
def _new_characters() -> str:
    """Sets of the characters that ``regex`` knows and Unicode 16 does not, a few ranges behind each guard."""
    import regex

    unassigned = "".join(
        "".join(map(chr, range(first, last + 1)))
        for first, last in _text.category_ranges(_text.UNASSIGNED)
        if not 0xD800 <= first <= 0xDFFF
    )
    ranges: list[list[int]] = []
    for character in regex.findall(r"[^\p{Cn}\p{Co}]", unassigned):
        code = ord(character)
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    groups = [ranges[start : start + 12] for start in range(0, len(ranges), 12)]
    return "".join(
        f"[{_range(group[0][0], group[-1][1])}&&[{''.join(_range(*each) for each in group)}]]" for group in groups
    )


def _range(first: int, last: int) -> str:
    return f"\\U{first:08X}-\\U{last:08X}"
