"""Several post-processors, one after the other.

What enters: encodings. What leaves: what the last one makes of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from textpipe.encoding import Encoding
from textpipe.processors.base import PostProcessor, numbered
from textpipe.stages.stage import StageSequence, checked_parts

__all__ = ["Sequence"]


@dataclass(eq=False, repr=False, init=False)
class Sequence(PostProcessor, StageSequence[PostProcessor]):
    """Apply each of ``processors`` in order.

    >>> from textpipe.processors import BertProcessing, ByteLevel
    >>> Sequence([ByteLevel(), BertProcessing(("[SEP]", 1), ("[CLS]", 0))]).num_special_tokens_to_add(is_pair=False)
    2
    """

    processors: tuple[PostProcessor, ...]

    _parts_name: ClassVar[str] = "processors"

    def __init__(self, processors: Iterable[PostProcessor]) -> None:
        self.processors = self._flat(processors)
        self.__post_init__()

    def __post_init__(self) -> None:
        object.__setattr__(self, "processors", checked_parts(self.processors, PostProcessor))

    def apply(self, encodings: list[Encoding], *, add_special_tokens: bool) -> list[Encoding]:
        """Each in turn."""
        encodings = numbered(encodings)
        for processor in self.processors:
            encodings = processor.apply(encodings, add_special_tokens=add_special_tokens)
        return encodings

    def num_special_tokens_to_add(self, is_pair: bool) -> int:
        """What all of them add."""
        return sum(processor.num_special_tokens_to_add(is_pair) for processor in self.processors)

    @property
    def max_id(self) -> int:
        """The largest id one of them can add."""
        return max((processor.max_id for processor in self.processors), default=-1)

    def native_frame(self) -> tuple[list[int], list[int]] | None:
        """The frame of the only one that has one, or None: what comes after a template sees its parts, not a text."""
        frames = [processor.native_frame() for processor in self.processors]
        framing = [frame for frame in frames if frame != ([], [])]
        if not framing:
            return [], []
        return framing[0] if len(framing) == 1 else None

    def to_dict(self) -> dict[str, Any]:
        """Type and the list."""
        return {"type": "Sequence", "processors": [processor.to_dict() for processor in self.processors]}
