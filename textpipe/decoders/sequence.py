"""Several decoders, one after the other.

What enters: pieces. What leaves: what the last one makes of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence as Pieces
from dataclasses import dataclass
from typing import Any, ClassVar

from textpipe.decoders.base import Decoder
from textpipe.stages.stage import StageSequence, checked_parts

__all__ = ["Sequence"]


@dataclass(eq=False, repr=False, init=False)
class Sequence(Decoder, StageSequence[Decoder]):
    """Apply each of ``decoders`` in order.

    >>> from textpipe.decoders import Fuse, Strip
    >>> Sequence([Fuse(), Strip(" ", left=1)]).decode([" 한", " 글"])
    '한 글'
    """

    decoders: tuple[Decoder, ...]

    _parts_name: ClassVar[str] = "decoders"

    def __init__(self, decoders: Iterable[Decoder]) -> None:
        self.decoders = tuple(decoders)
        self.__post_init__()

    def __post_init__(self) -> None:
        object.__setattr__(self, "decoders", checked_parts(self.decoders, Decoder))

    def chain(self, tokens: Pieces[str]) -> list[str]:
        """Each in turn."""
        found = list(tokens)
        for decoder in self.decoders:
            found = decoder.chain(found)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Type and the list."""
        return {"type": "Sequence", "decoders": [decoder.to_dict() for decoder in self.decoders]}
