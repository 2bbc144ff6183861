"""Pieces of one length.

What enters: text. What leaves: its characters, so many at a time; the last piece may be shorter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textpipe.core import _steps
from textpipe.errors import InputError
from textpipe.pre_tokenizers.base import NativeCut, PreTokenizer

__all__ = ["FixedLength"]


@dataclass(eq=False, repr=False)
class FixedLength(PreTokenizer):
    """Cut after every ``length`` characters.

    >>> [word for word, _ in FixedLength(2).pre_tokenize_str("가나다라마")]
    ['가나', '다라', '마']
    """

    length: int = 5

    def __post_init__(self) -> None:
        if self.length < 1:
            raise InputError(f"pieces of {self.length} characters", allowed="1 or more")

    def native_cut(self) -> NativeCut:
        """One native step."""
        return NativeCut((_steps.fixed_length_cut(self.length),))

    def to_dict(self) -> dict[str, Any]:
        """Type and argument."""
        return {"type": "FixedLength", "length": self.length}
