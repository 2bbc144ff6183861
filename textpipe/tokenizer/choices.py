"""Names of what can be chosen and of what can be encoded, as `tokenizers` has them.

What enters: nothing. What leaves: enumerations whose values are the strings that the arguments take, and aliases for
annotations.
"""

from __future__ import annotations

from enum import Enum

__all__ = [
    "EncodeInput",
    "InputSequence",
    "OffsetReferential",
    "OffsetType",
    "Offsets",
    "PreTokenizedEncodeInput",
    "PreTokenizedInputSequence",
    "SplitDelimiterBehavior",
    "TextEncodeInput",
    "TextInputSequence",
]


class OffsetReferential(Enum):
    """What places are counted in."""

    ORIGINAL = "original"
    NORMALIZED = "normalized"


class OffsetType(Enum):
    """What places count."""

    BYTE = "byte"
    CHAR = "char"


class SplitDelimiterBehavior(Enum):
    """What becomes of a match."""

    REMOVED = "removed"
    ISOLATED = "isolated"
    MERGED_WITH_PREVIOUS = "merged_with_previous"
    MERGED_WITH_NEXT = "merged_with_next"
    CONTIGUOUS = "contiguous"


Offsets = tuple[int, int]
"""The place of a token: characters ``[begin, end)``."""

TextInputSequence = str
"""A text."""

PreTokenizedInputSequence = list[str] | tuple[str, ...]
"""The words of a text."""

TextEncodeInput = TextInputSequence | tuple[TextInputSequence, TextInputSequence] | list[TextInputSequence]
"""A text, or two."""

PreTokenizedEncodeInput = (
    PreTokenizedInputSequence
    | tuple[PreTokenizedInputSequence, PreTokenizedInputSequence]
    | list[PreTokenizedInputSequence]
)
"""The words of a text, or of two."""

InputSequence = TextInputSequence | PreTokenizedInputSequence
"""A text or its words."""

EncodeInput = TextEncodeInput | PreTokenizedEncodeInput
"""Whatever an item of a batch can be."""
