"""Text spelled in bytes.

What enters: text. What leaves: each byte of its UTF-8 as one printable character.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textpipe.core import _steps
from textpipe.core._native import NativeStep
from textpipe.normalizers.base import Normalizer

__all__ = ["ByteLevel"]


@dataclass(eq=False, repr=False)
class ByteLevel(Normalizer):
    """Spell the bytes, before text is cut.

    >>> ByteLevel().normalize_str("한 1")
    'íķľĠ1'
    """

    def native_steps(self) -> tuple[NativeStep, ...]:
        """One native step."""
        return (_steps.byte_spelling(),)

    def to_dict(self) -> dict[str, Any]:
        """``{"type": …}``: there are no arguments."""
        return {"type": "ByteLevel"}
