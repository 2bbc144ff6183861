"""Punctuation apart from the rest.

What enters: text. What leaves: stretches without punctuation, and what ``behavior`` makes of each mark. Punctuation is
ASCII's, symbols such as ``$`` included, and Unicode's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textpipe.core import _steps
from textpipe.pre_tokenizers.base import NativeCut, PreTokenizer
from textpipe.pre_tokenizers.split import BEHAVIOR_NUMBERS, BEHAVIORS, check_behavior

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

    def native_cut(self) -> NativeCut:
        """One native step."""
        return NativeCut((_steps.punctuation_split(BEHAVIOR_NUMBERS[self.behavior]),))

    def to_dict(self) -> dict[str, Any]:
        """Type and argument."""
        return {"type": "Punctuation", "behavior": BEHAVIORS[self.behavior]}
