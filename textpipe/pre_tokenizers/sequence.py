"""Several pre-tokenizers, one after the other.

What enters: text. What leaves: the pieces of the pieces. Native when a cut that makes words is followed by bytes
alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from textpipe.core import _steps
from textpipe.normalizers.aligned import AlignedText
from textpipe.pre_tokenizers.base import NativeCut, PreTokenizer
from textpipe.stages.stage import StageSequence, checked_parts

__all__ = ["Sequence"]


@dataclass(eq=False, repr=False, init=False)
class Sequence(PreTokenizer, StageSequence[PreTokenizer]):
    """Apply each of ``pre_tokenizers`` to every piece of the one before.

    >>> from textpipe.pre_tokenizers import Digits, WhitespaceSplit
    >>> [word for word, _ in Sequence([WhitespaceSplit(), Digits()]).pre_tokenize_str("2024년 봄")]
    ['2024', '년', '봄']
    """

    pretokenizers: tuple[PreTokenizer, ...]

    _parts_name: ClassVar[str] = "pretokenizers"

    def __init__(self, pre_tokenizers: Iterable[PreTokenizer]) -> None:
        self.pretokenizers = self._flat(pre_tokenizers)
        self.__post_init__()

    def __post_init__(self) -> None:
        object.__setattr__(self, "pretokenizers", checked_parts(self.pretokenizers, PreTokenizer))

    def apply(self, text: AlignedText) -> list[AlignedText]:
        """Each in turn."""
        pieces = [text] if text.text else []
        for pre_tokenizer in self.pretokenizers:
            pieces = [part for piece in pieces for part in pre_tokenizer.apply(piece)]
        return pieces

    def native_cut(self) -> NativeCut | None:
        """The native steps of all, or None when one has none."""
        made = NativeCut()
        for pre_tokenizer in self.pretokenizers:
            cut = pre_tokenizer.native_cut()
            if cut is None:
                return None
            spelling = (_steps.byte_spelling(),) if made.byte_level else ()  # what follows works on the spelled bytes
            made = NativeCut((*made.steps, *spelling, *cut.steps), cut.byte_level)
        return made

    def to_dict(self) -> dict[str, Any]:
        """Type and the list."""
        return {"type": "Sequence", "pretokenizers": [each.to_dict() for each in self.pretokenizers]}
