"""Punctuation apart from the rest.

What enters: text. What leaves: stretches without punctuation, and what ``behavior`` makes of each mark. Punctuation is
ASCII's, symbols such as ``$`` included, and Unicode's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textpipe.core.character_sets import character_set
from textpipe.normalizers.aligned import AlignedText
from textpipe.pre_tokenizers.base import PreTokenizer
from textpipe.pre_tokenizers.split import BEHAVIORS, check_behavior, divide_at

__all__ = ["Punctuation"]


@dataclass(eq=False, repr=False)
class Punctuation(PreTokenizer):
    """Cut at every punctuation mark; ``behavior`` is that of ``Split``.

    >>> [word for word, _ in Punctuation().pre_tokenize_str("안녕, 세상!!")]
    ['안녕', ',', ' 세상', '!', '!']
    """

    behavior: str = "isolated"

    def __post_init__(self) -> None:
        check_behavior(self.behavior)

    def apply(self, text: AlignedText) -> list[AlignedText]:
        """The stretches."""
        marks = character_set("PUNCTUATION")
        return divide_at(text, [character in marks for character in text.text], self.behavior)

    def to_dict(self) -> dict[str, Any]:
        """Type and argument."""
        return {"type": "Punctuation", "behavior": BEHAVIORS[self.behavior]}
