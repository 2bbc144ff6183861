"""White space at the ends of a text.

What enters: text. What leaves: the text without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textpipe.core import _steps
from textpipe.core._native import NativeStep
from textpipe.normalizers.base import Normalizer

__all__ = ["Strip"]


@dataclass(eq=False, repr=False)
class Strip(Normalizer):
    """Take white space away on the ``left`` and on the ``right``.

    >>> Strip(right=False).normalize_str("\u3000 한글 ")
    '한글 '
    """

    left: bool = True
    right: bool = True

    def native_steps(self) -> tuple[NativeStep, ...]:
        """One native step."""
        return (_steps.strip(self.left, self.right),)

    def to_dict(self) -> dict[str, Any]:
        """Type and the sides."""
        return {"type": "Strip", "strip_left": self.left, "strip_right": self.right}
