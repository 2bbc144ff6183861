"""The clean-up of translation models.

What enters: text. What leaves: text without most ASCII control characters, where tabs, line ends, zero-width and other
odd spaces are plain ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textpipe.core import _steps
from textpipe.core._native import NativeStep
from textpipe.normalizers.base import Normalizer

__all__ = ["Nmt"]


@dataclass(eq=False, repr=False)
class Nmt(Normalizer):
    """Drop control characters and make odd spaces plain.

    >>> Nmt().normalize_str("한\u200b글\x01")
    '한 글'
    """

    def native_steps(self) -> tuple[NativeStep, ...]:
        """One native step."""
        return (_steps.nmt_rewrite(),)

    def to_dict(self) -> dict[str, Any]:
        """``{"type": …}``: there are no arguments."""
        return {"type": "Nmt"}
