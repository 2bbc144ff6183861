"""A text in front of the text.

What enters: text. What leaves: the same with something before it; that stands for the first character. Empty text
stays empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textpipe.normalizers.aligned import AlignedText
from textpipe.normalizers.base import Normalizer

__all__ = ["Prepend"]


@dataclass(eq=False, repr=False)
class Prepend(Normalizer):
    """Put ``prepend`` before text that is not empty.

    >>> Prepend().normalize_str("한글")
    '▁한글'
    """

    prepend: str = "▁"

    def apply(self, text: AlignedText) -> AlignedText:
        """The longer text."""
        return text.prepended(self.prepend)

    def to_dict(self) -> dict[str, Any]:
        """Type and argument."""
        return {"type": "Prepend", "prepend": self.prepend}
