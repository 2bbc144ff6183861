r"""The patterns of well-known tokenizers, for which there are native scanners.

What enters: a pattern and what becomes of its matches. What leaves: the native step that does the same, or None. A
pattern is known when it is, letter for letter, one of :data:`PATTERNS` or another spelling of one, or when it is made
of runs of characters alone, such as ``[가-힣]+|\p{N}{1,3}|\s+(?!\S)|\s?\p{L}+``.
"""

from __future__ import annotations

import functools

from textpipe.core import _steps
from textpipe.core._native import NativeStep
from textpipe.stages.pattern import Regex
from textpipe.stages.plain_patterns import plain_alternatives

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
    alternatives = plain_alternatives(pattern.pattern)
    return None if alternatives is None else _steps.pattern_split(alternatives, behavior, invert)


@functools.cache
def _names() -> dict[str, str]:
    return {pattern: name for name, pattern in PATTERNS.items()}


def _plain(pattern: str) -> str:
    for spelling, plain in _SPELLINGS:
        pattern = pattern.replace(spelling, plain)
    return pattern + "+" if pattern.endswith(r"|\s+(?!\S)|\s") else pattern
