"""Cut by a pattern of the user's own.

What enters: text, a string or a ``Regex``, and what to do with its matches. What leaves: the stretches.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from textpipe.errors import InputError, did_you_mean
from textpipe.normalizers.aligned import AlignedText
from textpipe.pre_tokenizers.base import NativeCut, PreTokenizer
from textpipe.pre_tokenizers.grammars import native_split
from textpipe.stages.pattern import Regex, check_pattern, find, pattern_to_dict

__all__ = ["BEHAVIORS", "BEHAVIOR_NUMBERS", "Split", "check_behavior"]

BEHAVIORS = {
    "removed": "Removed",
    "isolated": "Isolated",
    "merged_with_previous": "MergedWithPrevious",
    "merged_with_next": "MergedWithNext",
    "contiguous": "Contiguous",
}
"""What can become of a match, and how tokenizer.json calls it."""

BEHAVIOR_NUMBERS = {name: number for number, name in enumerate(BEHAVIORS)}
"""The same for the native steps."""

Place = tuple[int, int, bool]


@dataclass(eq=False, repr=False)
class Split(PreTokenizer):
    """Cut at every match of ``pattern``.

    Parameters
    ----------
    pattern : a string, or a ``Regex``.
    behavior : what becomes of a match: ``removed``, ``isolated``, ``merged_with_previous``, ``merged_with_next``,
        ``contiguous`` (neighbouring matches together).
    invert : take what lies between the matches for the matches.

    Examples
    --------
    >>> [word for word, _ in Split("-", "merged_with_previous").pre_tokenize_str("가-나--다")]
    ['가-', '나-', '-', '다']
    """

    pattern: str | Regex
    behavior: str
    invert: bool = False

    def __post_init__(self) -> None:
        check_pattern(self.pattern)
        check_behavior(self.behavior)

    def native_cut(self) -> NativeCut | None:
        """A native step for a plain string and for the patterns of well-known tokenizers, else None."""
        step = native_split(self.pattern, BEHAVIOR_NUMBERS[self.behavior], self.invert)
        return None if step is None else NativeCut((step,))

    def apply(self, text: AlignedText) -> list[AlignedText]:
        """The stretches."""
        if self.native_cut() is not None:
            return super().apply(text)
        places = ((begin, end, is_match != self.invert) for begin, end, is_match in find(self.pattern, text.text))
        return _divide(text, places, self.behavior)

    def to_dict(self) -> dict[str, Any]:
        """Type and arguments."""
        return {
            "type": "Split",
            "pattern": pattern_to_dict(self.pattern),
            "behavior": BEHAVIORS[self.behavior],
            "invert": self.invert,
        }


def check_behavior(behavior: str) -> None:
    """Refuse a behavior there is none of."""
    if behavior not in BEHAVIORS:
        raise InputError(f'no such behavior: "{behavior}"', hint=did_you_mean(behavior, BEHAVIORS))


def _divide(text: AlignedText, places: Iterable[Place], behavior: str) -> list[AlignedText]:
    """Cut text at ``places``, (begin, end, is_match) without gaps, and do with the matches as ``behavior`` says."""
    listed = list(places)
    if behavior == "removed":
        listed = [place for place in listed if not place[2]]
    elif behavior == "contiguous":
        listed = _joined(listed)
    elif behavior == "merged_with_previous":
        listed = _merged_with_previous(listed)
    elif behavior == "merged_with_next":
        mirrored = [(-end, -begin, is_match) for begin, end, is_match in reversed(listed)]
        listed = [(-end, -begin, is_match) for begin, end, is_match in reversed(_merged_with_previous(mirrored))]
    return [text.slice(begin, end) for begin, end, _ in listed if end > begin]


def _joined(places: list[Place]) -> list[Place]:
    joined: list[Place] = []
    for begin, end, is_match in places:
        if joined and joined[-1][2] == is_match:
            joined[-1] = (joined[-1][0], end, is_match)
        else:
            joined.append((begin, end, is_match))
    return joined


def _merged_with_previous(places: list[Place]) -> list[Place]:
    merged: list[Place] = []
    after_match = False
    for begin, end, is_match in places:
        if is_match and not after_match and merged:
            merged[-1] = (merged[-1][0], end, merged[-1][2])
        else:
            merged.append((begin, end, is_match))
        after_match = is_match
    return merged
