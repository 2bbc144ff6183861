"""Numbers apart from the rest.

What enters: text. What leaves: stretches without numeric characters, and the numbers between them, whole or digit by
digit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textpipe.core import _steps
from textpipe.pre_tokenizers.base import NativeCut, PreTokenizer
from textpipe.pre_tokenizers.split import BEHAVIOR_NUMBERS

__all__ = ["Digits"]


@dataclass(eq=False, repr=False)
class Digits(PreTokenizer):
    """Cut numbers out; with ``individual_digits`` every digit alone.

    >>> [word for word, _ in Digits(individual_digits=True).pre_tokenize_str("2024년")]
    ['2', '0', '2', '4', '년']
    """

    individual_digits: bool = False

    def native_cut(self) -> NativeCut:
        """One native step."""
        behavior = "isolated" if self.individual_digits else "contiguous"
        return NativeCut((_steps.digit_split(BEHAVIOR_NUMBERS[behavior]),))

    def to_dict(self) -> dict[str, Any]:
        """Type and argument."""
        return {"type": "Digits", "individual_digits": self.individual_digits}
