"""Text without its combining marks.

What enters: text, decomposed if the marks of composed letters are to go too. What leaves: the text without the
combining marks. Conjoining jamo are letters and stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textpipe.core import _steps
from textpipe.core._native import NativeStep
from textpipe.normalizers.base import Normalizer

__all__ = ["StripAccents"]


@dataclass(eq=False, repr=False)
class StripAccents(Normalizer):
    """Take combining marks away.

    >>> StripAccents().normalize_str("e\u0301")
    'e'
    """

    def native_steps(self) -> tuple[NativeStep, ...]:
        """One native step."""
        return (_steps.accent_strip(),)

    def to_dict(self) -> dict[str, Any]:
        """``{"type": …}``: there are no arguments."""
        return {"type": "StripAccents"}
