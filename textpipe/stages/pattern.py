"""Patterns of a user's own.

What enters: a plain string or a ``Regex``, and a text. What leaves: the text cut into matches and what lies between.
A pattern is compiled by the ``regex`` package under a time limit, so that a catastrophic one ends in a message.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from textpipe.errors import InputError, LimitError, WrongTypeError, a_kind
from textpipe.limits import DEFAULT_LIMITS
from textpipe.stages.oniguruma import translate
from textpipe.stages.stage import check_characters

__all__ = ["Regex", "check_pattern", "find", "pattern_to_dict", "replaced"]


@dataclass(frozen=True, slots=True)
class Regex:
    r"""A regular expression, in the syntax `tokenizers` takes: Oniguruma's.

    :mod:`textpipe.stages.oniguruma` puts it into the terms of the ``regex`` package, and says what is not the same.

    Raises
    ------
    InputError
        when it does not compile, at once and not at first use.
    """

    pattern: str

    def __post_init__(self) -> None:
        _compile(self.pattern)


@functools.lru_cache(maxsize=64)
def _compile(pattern: str, *, plain: bool = False) -> Any:
    import regex

    if len(pattern) > DEFAULT_LIMITS.pattern_chars:
        raise LimitError(
            f"a pattern of {len(pattern)} characters", allowed=f"at most {DEFAULT_LIMITS.pattern_chars} characters"
        )
    try:
        return regex.compile(regex.escape(pattern) if plain else translate(pattern), regex.VERSION1)
    except (regex.error, ValueError, RecursionError, OverflowError) as error:
        raise InputError(f"not a regular expression: {error}", where=repr(pattern[:80])) from None


def find(pattern: str | Regex, text: str) -> Iterator[tuple[int, int, bool]]:
    """Cut ``text`` into (begin, end, is_match), in order, without gaps.

    Raises
    ------
    LimitError
        when the search takes longer than the limits say for a text of that length, or more memory than there is.
    """
    if isinstance(pattern, str):
        compiled = _compile(pattern, plain=True) if pattern else None
    else:
        compiled = _compile(pattern.pattern)
    done = 0
    most_s = DEFAULT_LIMITS.pattern_s + len(text) * DEFAULT_LIMITS.pattern_s_per_char
    if compiled is not None:
        try:
            for match in compiled.finditer(text, timeout=most_s):  # of processor time, for all matches together
                begin, end = match.span()
                if begin == end == done and end > 0:
                    continue  # nothing, right where a match ended: `tokenizers` does not take that for another one
                if begin > done:
                    yield done, begin, False
                yield begin, end, True
                done = end
        except TimeoutError:
            raise LimitError(
                f"the pattern took longer than {most_s:.2g} s on a text of {len(text)} characters",
                where=repr(compiled.pattern[:80]),
                hint="write it without nested repetition, or cut the text at line ends",
            ) from None
        except (MemoryError, RecursionError):  # a pattern that calls itself, "(?R)" for one
            raise LimitError(
                f"the pattern needs too much memory on a text of {len(text)} characters",
                where=repr(compiled.pattern[:80]),
                hint="write it without recursion",
            ) from None
    if done < len(text):
        yield done, len(text), False


def check_pattern(pattern: object) -> None:
    """Refuse what is no pattern."""
    if not isinstance(pattern, str | Regex):
        raise WrongTypeError(f"a pattern is {a_kind(pattern)}", allowed="a str or a Regex")
    check_characters(pattern if isinstance(pattern, str) else pattern.pattern, "a pattern")


def replaced(pattern: str | Regex, text: str, content: str) -> list[tuple[int, int, bool, str]]:
    """The stretches of a text and what comes in their place: ``(begin, end, is match, content or the stretch)``.

    Raises
    ------
    LimitError
        as :func:`find`, and when the text would become longer than there may be.
    """
    stretches = list(find(pattern, text))
    length = sum(len(content) if is_match else end - begin for begin, end, is_match in stretches)
    limits = DEFAULT_LIMITS
    most = min(limits.text_bytes // 4, limits.text_growth * len(text) + limits.grown_bytes // 4)  # of four bytes each
    if length > most:
        raise LimitError(
            f"replacing makes {length:,} characters of a text of {len(text):,}",
            where=repr(pattern if isinstance(pattern, str) else pattern.pattern)[:80],
            allowed=f"{most:,}",
            hint="encode it in parts, or replace by less",
        )
    return [(begin, end, is_match, content if is_match else text[begin:end]) for begin, end, is_match in stretches]


def pattern_to_dict(pattern: str | Regex) -> dict[str, Any]:
    """``{"String": …}`` or ``{"Regex": …}``."""
    return {"String": pattern} if isinstance(pattern, str) else {"Regex": pattern.pattern}
