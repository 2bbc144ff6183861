"""How an encoding is parted: the sides, lengths and numbers of parts that there can be.

What enters: arguments of padding and truncation, and numbers of tokens. What leaves: where the parts begin. Promises:
what cannot be is refused before anything is made of it.
"""

from __future__ import annotations

from textpipe.errors import InputError, LimitError
from textpipe.limits import DEFAULT_LIMITS

__all__ = ["check_count", "check_side", "check_ways", "starts_of_parts", "too_many_ways"]


def check_count(name: str, number: int) -> None:
    """Refuse a number below 0."""
    if number < 0:
        raise InputError(f"{name} is {number}", allowed="0 or more")


def check_side(direction: str) -> None:
    """Refuse what is neither ``left`` nor ``right``."""
    if direction not in {"left", "right"}:
        raise InputError(f'no such direction: "{direction}"', allowed="left, right")


def starts_of_parts(count: int, max_length: int, stride: int) -> range:
    """Where the parts of so many tokens begin, from the side that is kept on, until one reaches the other side.

    Raises
    ------
    InputError
        when ``stride`` leaves a part no token of its own.
    LimitError
        when the parts are too many.
    """
    if count <= max_length or max_length <= 0:  # whole, or nothing and the whole
        return range(1 if max_length > 0 or count == 0 else 2)
    if stride >= max_length:
        raise InputError(
            f"parts of {max_length} tokens cannot share {stride} of them",
            allowed=f"a stride below {max_length}",
            hint="special tokens take their share of max_length",
        )
    step = max_length - stride
    starts = range(0, count - max_length + step, step)
    if len(starts) > DEFAULT_LIMITS.overflowing_parts:
        raise LimitError(
            f"truncation cuts a text into {len(starts):,} parts",
            allowed=f"{DEFAULT_LIMITS.overflowing_parts:,}",
            hint="give a larger max_length or a smaller stride",
        )
    return starts


def check_ways(parts: int, other_parts: int) -> None:
    """Refuse two texts whose parts go together in too many ways.

    Raises
    ------
    LimitError
        naming the number.
    """
    if parts * other_parts > DEFAULT_LIMITS.overflowing_ways:
        raise too_many_ways(f"{parts * other_parts:,}")


def too_many_ways(number: str) -> LimitError:
    """The refusal of so many ways."""
    return LimitError(
        f"truncation cuts the texts into parts that go together in {number} ways",
        allowed=f"{DEFAULT_LIMITS.overflowing_ways:,}",
        hint="give a larger max_length, or encode the texts in parts",
    )
