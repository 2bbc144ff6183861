"""Truncation: no encoding longer than a model can take.

What enters: the encodings of one text or two, before the special tokens. What leaves: the same, shorter; what was cut
off is in their ``overflowing``. Promises: the parts and the object in tokenizer.json are those of `tokenizers`; where
the special tokens alone are longer than the text may be, that is said.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from textpipe.encoding import Encoding
from textpipe.encoding.parting import check_side, check_ways, starts_of_parts
from textpipe.errors import InputError, did_you_mean
from textpipe.stages.stage import describe, plain_value

__all__ = ["STRATEGIES", "Truncation"]

STRATEGIES = {"longest_first": "LongestFirst", "only_first": "OnlyFirst", "only_second": "OnlySecond"}
"""Which of two texts is cut, and how tokenizer.json calls it."""


@dataclass(frozen=True, slots=True, repr=False)
class Truncation:
    """How to truncate.

    Parameters
    ----------
    max_length : how many tokens an encoding may have, special tokens included.
    stride : how many tokens a part that was cut off shares with the one before.
    strategy : which of two texts is cut: ``longest_first``, ``only_first``, ``only_second``.
    direction : the side to cut tokens off, ``right`` or ``left``.

    Raises
    ------
    InputError
        when one of them cannot be.

    Examples
    --------
    >>> encoding = Encoding.of_tokens([7, 8, 9], ["가", "나", "다"], [(0, 1), (1, 2), (2, 3)], [0, 1, 2])
    >>> Truncation(2).apply([encoding], num_added=0)
    >>> encoding.ids, [part.ids for part in encoding.overflowing]
    ([7, 8], [[9]])
    """

    max_length: int
    stride: int = 0
    strategy: str = "longest_first"
    direction: str = "right"

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, plain_value(type(self), field.name, getattr(self, field.name)))
        check_side(self.direction)
        if self.strategy not in STRATEGIES:
            raise InputError(
                f'no such truncation strategy: "{self.strategy}"', hint=did_you_mean(self.strategy, STRATEGIES)
            )
        for name in ("max_length", "stride"):
            value = getattr(self, name)
            if not 0 <= value < 1 << 63:
                raise InputError(f"{name} is {value}", allowed="0 or more")

    def apply(self, encodings: list[Encoding], *, num_added: int) -> None:
        """Cut the encodings of one text or two, so that ``num_added`` special tokens still fit.

        Raises
        ------
        InputError
            when the special tokens leave no room, or the text that is to be cut is missing or too short.
        LimitError
            when the parts of a text, or those of two put together, are too many.
        """
        room = self.max_length - num_added
        if room < 0:
            raise InputError(
                f"max_length {self.max_length} has no room for {num_added} special tokens",
                allowed=f"{num_added} or more",
            )
        if room == 0:
            self._cut(encodings, [0] * len(encodings))
            return
        counts = [len(encoding) for encoding in encodings]
        if sum(counts) > room:
            self._cut(encodings, self._lengths(counts, room))

    def _lengths(self, counts: list[int], room: int) -> list[int]:
        """How many tokens each text keeps."""
        if self.strategy == "longest_first":
            return [room] if len(counts) == 1 else _evenly(counts, room)
        target = 0 if self.strategy == "only_first" else 1
        if target == len(counts):
            raise InputError(f"truncation cuts the second text ({self.strategy}), and there is one alone")
        kept = counts[target] - (sum(counts) - room)
        if kept <= 0:
            raise InputError(
                f"text {target + 1} of {counts[target]} tokens is too short to be cut ({self.strategy}): "
                f"the texts have {sum(counts)} and may have {room}",
                hint='use the strategy "longest_first", or a larger max_length',
            )
        return [kept if number == target else count for number, count in enumerate(counts)]

    def _cut(self, encodings: list[Encoding], lengths: list[int]) -> None:
        num_parts = [
            len(starts_of_parts(len(encoding), length, self.stride))
            for encoding, length in zip(encodings, lengths, strict=True)
        ]
        if len(num_parts) == 2:
            check_ways(*num_parts)  # before any of them is made
        for encoding, length in zip(encodings, lengths, strict=True):
            encoding.truncate(length, self.stride, self.direction)

    def to_dict(self) -> dict[str, Any]:
        """The object that stands for it in tokenizer.json."""
        return {
            "direction": self.direction.capitalize(),
            "max_length": self.max_length,
            "strategy": STRATEGIES[self.strategy],
            "stride": self.stride,
        }

    def __repr__(self) -> str:
        return describe({"type": "TruncationParams", **self.to_dict()})

    def arguments(self) -> dict[str, Any]:
        """The arguments that make the same truncation, as ``Tokenizer.truncation`` gives them."""
        return {
            "max_length": self.max_length,
            "stride": self.stride,
            "strategy": self.strategy,
            "direction": self.direction,
        }


def _evenly(counts: list[int], room: int) -> list[int]:
    """Two lengths: the shorter text stays whole while it takes less than half of the room."""
    shorter, longer = sorted(counts)
    longer = shorter if shorter > room else max(shorter, room - shorter)
    if shorter + longer > room:
        shorter = room // 2
        longer = shorter + room % 2
    return [longer, shorter] if counts[0] > counts[1] else [shorter, longer]
