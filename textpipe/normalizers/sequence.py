"""Several normalizers, one after the other.

What enters: text. What leaves: what the last one makes of it. Native when all of them are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from textpipe.core._native import NativeStep
from textpipe.normalizers.aligned import AlignedText
from textpipe.normalizers.base import Normalizer
from textpipe.stages.stage import StageSequence, checked_parts

__all__ = ["Sequence"]


@dataclass(eq=False, repr=False, init=False)
class Sequence(Normalizer, StageSequence[Normalizer]):
    """Apply each of ``normalizers`` in order.

    >>> from textpipe.normalizers import NFKC, Lowercase
    >>> Sequence([NFKC(), Lowercase()]).normalize_str("ＡＢ")
    'ab'
    """

    normalizers: tuple[Normalizer, ...]

    _parts_name: ClassVar[str] = "normalizers"

    def __init__(self, normalizers: Iterable[Normalizer]) -> None:
        self.normalizers = self._flat(normalizers)
        self.__post_init__()

    def __post_init__(self) -> None:
        object.__setattr__(self, "normalizers", checked_parts(self.normalizers, Normalizer))

    def apply(self, text: AlignedText) -> AlignedText:
        """Each in turn."""
        for normalizer in self.normalizers:
            text = normalizer.apply(text)
        return text

    def normalize_str(self, sequence: str) -> str:
        """Each in turn."""
        for normalizer in self.normalizers:
            sequence = normalizer.normalize_str(sequence)
        return sequence

    def native_steps(self) -> tuple[NativeStep, ...] | None:
        """All the steps, or None when one has none."""
        all_steps: tuple[NativeStep, ...] = ()
        for normalizer in self.normalizers:
            steps = normalizer.native_steps()
            if steps is None:
                return None
            all_steps += steps
        return all_steps

    def to_dict(self) -> dict[str, Any]:
        """Type and the list."""
        return {"type": "Sequence", "normalizers": [normalizer.to_dict() for normalizer in self.normalizers]}
