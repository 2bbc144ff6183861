"""A text in front of the text.

What enters: text. What leaves: the same with something before it; that stands for the first character. Empty text
stays empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textpipe.core import _steps
from textpipe.core._native import NativeStep
from textpipe.normalizers.base import Normalizer

__all__ = ["Prepend"]


@dataclass(eq=False, repr=False)
class Prepend(Normalizer):
    """Put ``prepend`` before text that is not empty.

    >>> Prepend().normalize_str("한글")
    '▁한글'
    """

    prepend: str = "▁"

    def native_steps(self) -> tuple[NativeStep, ...]:
        """One native step."""
        return (_steps.prepend(self.prepend),)

    def to_dict(self) -> dict[str, Any]:
        """Type and argument."""
        return {"type": "Prepend", "prepend": self.prepend}
