"""Several pre-tokenizers, one after the other.

What enters: text. What leaves: the pieces of the pieces. Native when a cut that makes words is followed by bytes
alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from textpipe.core import _text
from textpipe.normalizers.aligned import AlignedText
from textpipe.pre_tokenizers.base import NativeCut, PreTokenizer

__all__ = ["Sequence"]


@dataclass(frozen=True, init=False)
class Sequence(PreTokenizer):
    """Apply each of ``pretokenizers`` to every piece of the one before.

    >>> from textpipe.pre_tokenizers import Digits, WhitespaceSplit
    >>> [word for word, _ in Sequence([WhitespaceSplit(), Digits()]).pre_tokenize_str("2024년 봄")]
    ['2024', '년', '봄']
    """

    pretokenizers: tuple[PreTokenizer, ...]

    def __init__(self, pretokenizers: Iterable[PreTokenizer]) -> None:
        object.__setattr__(self, "pretokenizers", tuple(pretokenizers))

    def split(self, text: AlignedText) -> list[AlignedText]:
        """Each in turn."""
        pieces = [text] if text.text else []
        for pre_tokenizer in self.pretokenizers:
            pieces = [part for piece in pieces for part in pre_tokenizer.split(piece)]
        return pieces

    def native_cut(self) -> NativeCut | None:
        """One native step where two can be joined, or None."""
        cuts = [pre_tokenizer.native_cut() for pre_tokenizer in self.pretokenizers]
        if len(cuts) == 1:
            return cuts[0]
        if len(cuts) != 2:
            return None
        first, second = cuts
        if first is None or second is None or first.byte_level or second.grammar != _text.WHOLE or second.prefix_space:
            return None  # a prefix space would be one for every word, which no single scan makes
        return replace(first, byte_level=second.byte_level)

    def to_dict(self) -> dict[str, Any]:
        """Type and the list."""
        return {"type": "Sequence", "pretokenizers": [each.to_dict() for each in self.pretokenizers]}
