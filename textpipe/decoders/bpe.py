"""Pieces with a suffix at the ends of words back to text.

What enters: pieces. What leaves: words with spaces between, in place of the suffixes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from textpipe.decoders.base import Decoder

__all__ = ["BPEDecoder"]


@dataclass(eq=False, repr=False)
class BPEDecoder(Decoder):
    """Make each ``suffix`` a space, but for the last piece's.

    >>> BPEDecoder().decode(["안녕</w>", "세", "상</w>"])
    '안녕 세상'
    """

    suffix: str = "</w>"

    def chain(self, tokens: Sequence[str]) -> list[str]:
        """The pieces without suffix."""
        last = len(tokens) - 1
        return [token.replace(self.suffix, "" if at == last else " ") for at, token in enumerate(tokens)]

    def bytes_of(self, token: str) -> bytes:
        """The bytes one piece adds to a text that goes on."""
        return token.replace(self.suffix, " ").encode()

    def to_dict(self) -> dict[str, Any]:
        """Type and argument."""
        return {"type": "BPEDecoder", "suffix": self.suffix}
