"""All pieces as one.

What enters: pieces. What leaves: one, so that what comes after it in a sequence sees the whole text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from textpipe.decoders.base import Decoder

__all__ = ["Fuse"]


@dataclass(eq=False, repr=False)
class Fuse(Decoder):
    """Join the pieces.

    >>> Fuse().chain(["한", "글"])
    ['한글']
    """

    def chain(self, tokens: Sequence[str]) -> list[str]:
        """One piece."""
        return ["".join(tokens)]

    def to_dict(self) -> dict[str, Any]:
        """``{"type": …}``: there are no arguments."""
        return {"type": "Fuse"}
