r"""The patterns of well-known tokenizers, for which there are native scanners.

What enters: a pattern and what becomes of its matches. What leaves: the native step that does the same, or None. A
pattern is known when it is, letter for letter, one of :data:`PATTERNS` or another spelling of one, or when it is a run
of characters of one class, such as ``\p{N}{1,3}``, ``[一-龥]+`` or ``\s?\p{L}+``.
"""

from __future__ import annotations

import functools
import re
from itertools import pairwise

from textpipe.core import _steps, _text
from textpipe.core._native import NativeStep
from textpipe.stages.pattern import Regex

__all__ = ["PATTERNS", "native_split"]

_CONTRACTION = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_LEAD = r"[^\r\n\p{L}\p{N}]?"
_SPACES = r"\s*[\r\n]+|\s+(?!\S)|\s+"
_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"


def _gpt4(digits: str, word: str = r"\p{L}+", other: str = r"[^\s\p{L}\p{N}]+", end: str = "") -> str:
    return rf"{_CONTRACTION}|{_LEAD}{word}|\p{{N}}{digits}| ?{other}[\r\n]*|{end}{_SPACES}"


def _gpt4o(digits: str, suffix: str) -> str:
    words = f"{_LEAD}{_UPPER}*{_LOWER}+{suffix}|{_LEAD}{_UPPER}+{_LOWER}*{suffix}"
    return rf"{words}|\p{{N}}{digits}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{_SPACES}"


PATTERNS: dict[str, str] = {
    "gpt2": r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    "gpt4": _gpt4("{1,3}"),
    "gpt4 ends": _gpt4("{1,3}", end=r"\s+\z|"),
    "gpt4 digit": _gpt4(""),
    "gpt4 two digits": _gpt4("{1,2}"),
    "gpt4 digit marks": _gpt4("", r"[\p{L}\p{M}]+", r"[^\s\p{L}\p{M}\p{N}]+"),
    "gpt4o": _gpt4o("{1,3}", f"{_CONTRACTION}?"),
    "gpt4o digit": _gpt4o("", f"{_CONTRACTION}?"),
    "gpt4o bare": _gpt4o("{1,3}", ""),
    "gpt4o bare digit": _gpt4o("", ""),
    "deepseek": r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"""
    rf"""| ?[\p{{P}}\p{{S}}]+[\r\n]*|{_SPACES}""",
    "clip": r"""'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+""",
}
r"""By the name of the scanner: gpt2 is also RoBERTa's; gpt4 is cl100k as Llama 3 and others spell it, ``ends`` as
tiktoken itself does (white space at the end of a text stays together); ``digit`` is Qwen 2, with ``marks`` Qwen 3.5;
gpt4o is o200k and Llama 4, ``bare digit`` is Tekken; deepseek is the third step of DeepSeek V3."""

# Other spellings of the same: what a possessive run takes it never had to give back in these patterns.
_SPELLINGS = (
    ("'(?i:[sdmt]|ll|ve|re)", _CONTRACTION),
    (r"[^\r\n\p{L}\p{N}]?+\p{L}", r"[^\r\n\p{L}\p{N}]?\p{L}"),
    (r"\p{L}++", r"\p{L}+"),
    (r"\p{N}++", r"\p{N}+"),
    (r"[^\s\p{L}\p{N}]++", r"[^\s\p{L}\p{N}]+"),
    (r"[\r\n]*+", r"[\r\n]*"),
    (r"|\s++\z|", r"|\s+\z|"),
    (r"|\s*[\r\n]|", r"|\s*[\r\n]+|"),
)


@functools.lru_cache(maxsize=256)
def native_split(pattern: str | Regex, behavior: int, invert: bool) -> NativeStep | None:
    """The native step for the matches of a pattern, or None."""
    if isinstance(pattern, str):
        return _steps.literal_split(pattern, behavior, invert) if pattern else None
    name = _names().get(_plain(pattern.pattern))
    if name is not None:
        return _steps.grammar_split(name, behavior, invert)
    run = _RUN.fullmatch(pattern.pattern)
    if run is None:
        return None
    lead, body = (_Class(text).ranges() if text else [] for text in (run["lead"], run["body"]))
    if lead is None or not body:
        return None
    least = int(run["least"] or 1)
    most = 0 if run["count"] == "+" or (run["comma"] and not run["most"]) else int(run["most"] or least)
    return None if 0 < most < least else _steps.run_split(lead, body, least, most, behavior, invert)


@functools.cache
def _names() -> dict[str, str]:
    return {pattern: name for name, pattern in PATTERNS.items()}


def _plain(pattern: str) -> str:
    for spelling, plain in _SPELLINGS:
        pattern = pattern.replace(spelling, plain)
    return pattern + "+" if pattern.endswith(r"|\s+(?!\S)|\s") else pattern


Ranges = list[tuple[int, int]]

_SET = r"\[(?:\\.|[^\\\]\[])*(?:\[(?:\\.|[^\\\]\[])*\](?:\\.|[^\\\]\[])*)*\]"
_ONE = rf"(?:{_SET}|\\[pP]\{{\w+\}}|\\[^pP]|[^\\\[\](){{}}.*+?^$|])"
_COUNT = r"(?P<count>\+|\{(?P<least>1\d|[1-9])(?P<comma>,(?P<most>[1-9]\d{0,3})?)?\})?"
_RUN = re.compile(rf"(?:(?P<lead>{_ONE})\?)?(?P<body>{_ONE}){_COUNT}", re.DOTALL)
_MEMBER = re.compile(r"\\[pP]\{\w+\}|\\.|[^\\]", re.DOTALL)
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r"}
_SPACE = (("Zs", "Zl", "Zp"), _text.NEWLINE | _text.CONTROL_SPACE)


class _Class:
    """A class of characters as written in a pattern."""

    def __init__(self, text: str) -> None:
        self.text = text

    def ranges(self) -> Ranges | None:
        """Its code points, or None where it uses what is not known here."""
        if not self.text.startswith("["):
            return self._member(self.text)
        inside = self.text[1:-1]
        negative = inside.startswith("^")
        found = self._members(inside[negative:])
        if found is None:
            return None
        joined = _joined(found)
        return _complement(joined) if negative else joined

    def _members(self, inside: str) -> Ranges | None:
        """What stands between brackets; one more bracket in them is a part of the union."""
        if "&&" in inside or "[:" in inside:
            return None
        nested = re.search(r"(?<!\\)\[", inside)
        if nested is not None:
            end = re.compile(r"(?:\\.|[^\\\]])*\]", re.DOTALL).match(inside, nested.end())
            if end is None:
                return None
            inner = _Class(inside[nested.start() : end.end()]).ranges()
            outer = self._members(inside[: nested.start()] + inside[end.end() :])
            return None if inner is None or outer is None else inner + outer
        found: Ranges = []
        members: list[str] = _MEMBER.findall(inside)
        at = 0
        while at < len(members):
            if at + 2 < len(members) and members[at + 1] == "-":
                low, high = self._member(members[at]), self._member(members[at + 2])
                if not low or not high or len(low) + len(high) > 2 or low[0][0] > high[0][0]:
                    return None
                found.append((low[0][0], high[0][0]))
                at += 3
                continue
            one = self._member(members[at])
            if one is None:
                return None
            found += one
            at += 1
        return found

    def _member(self, text: str) -> Ranges | None:
        if not text.startswith("\\"):
            return [(ord(text), ord(text))]
        if text[1] in "pP":
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
