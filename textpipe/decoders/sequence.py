"""Several decoders, one after the other.

What enters: pieces. What leaves: what the last one makes of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence as Pieces
from dataclasses import dataclass
from typing import Any, ClassVar

from textpipe.decoders.base import BEGUN, Decoder, text_behind
from textpipe.decoders.byte_fallback import ByteFallback
from textpipe.decoders.byte_level import ByteLevel
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

    def bytes_of(self, token: str) -> bytes:
        """The bytes one piece adds: those of the first decoder that knows any, for they may be no whole characters."""
        pieces = [BEGUN, token]
        for decoder in self.decoders:
            if len(pieces) == 2 and isinstance(decoder, ByteLevel | ByteFallback | Sequence):
                data = decoder.bytes_of(pieces[1])
                if _is_broken(data):
                    return data
            pieces = decoder.chain(pieces)
        return text_behind(pieces)

    def to_dict(self) -> dict[str, Any]:
        """Type and the list."""
        return {"type": "Sequence", "decoders": [decoder.to_dict() for decoder in self.decoders]}


def _is_broken(data: bytes) -> bool:
    """Whether bytes are no whole characters."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return True
    return False
