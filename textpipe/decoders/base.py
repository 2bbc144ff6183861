"""What a decoder is.

What enters: the pieces of the tokens. What leaves: the text they stand for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from textpipe.stages.stage import Stage

__all__ = ["BEGUN", "Decoder", "text_behind"]


class Decoder(Stage):
    """Base of the decoders: comparable, printable values. One needs only :meth:`chain`."""

    __slots__ = ()

    @staticmethod
    def custom(decoder: Any) -> Decoder:
        """A stage around an object of the user's own, which has ``decode_chain(tokens)``."""
        from textpipe.decoders.custom import Custom

        return Custom(decoder)

    def chain(self, tokens: Sequence[str]) -> list[str]:
        """The pieces as the next decoder of a sequence sees them; joined they are the text."""
        raise NotImplementedError(f"{type(self).__name__} has no chain()")

    def decode(self, tokens: Sequence[str]) -> str:
        """The text of the pieces."""
        return "".join(self.chain(tokens))

    def bytes_of(self, token: str) -> bytes:
        """The bytes one piece adds to a text that has begun."""
        return text_behind(self.chain([BEGUN, token]))

    def bytes_alone(self, token: str) -> bytes:
        """The bytes a piece itself stands for, without what the decoder puts between words."""
        return self.bytes_of(token)


BEGUN = "\ue000"
"""A piece that is in no vocabulary, for a text to begin with."""


def text_behind(tokens: Sequence[str]) -> bytes:
    """What stands behind :data:`BEGUN` in decoded pieces, as bytes."""
    return "".join(tokens).removeprefix(BEGUN).encode()
