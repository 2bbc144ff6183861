"""What a decoder is.

What enters: the pieces of the tokens. What leaves: the text they stand for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["Decoder"]


class Decoder:
    """Base of the decoders: frozen, comparable, printable values."""

    __slots__ = ()

    def decode(self, tokens: Sequence[str]) -> str:
        """The text of the pieces."""
        raise NotImplementedError(f"{type(self).__name__} has no decode()")

    def bytes_of(self, token: str) -> bytes:
        """The bytes one piece adds to the text, for decoders whose text is their pieces' bytes joined."""
        raise NotImplementedError(f"{type(self).__name__} does not decode piece by piece")

    def to_dict(self) -> dict[str, Any]:
        """The object that stands for it in tokenizer.json."""
        raise NotImplementedError(f"{type(self).__name__} cannot be written to tokenizer.json")
