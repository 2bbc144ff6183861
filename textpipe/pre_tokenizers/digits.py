"""Numbers apart from the rest.

What enters: text. What leaves: stretches without numeric characters, and the numbers between them, whole or digit by
digit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textpipe.core import _text
from textpipe.normalizers.aligned import AlignedText
from textpipe.pre_tokenizers.base import PreTokenizer
from textpipe.pre_tokenizers.split import divide_at

__all__ = ["Digits"]


@dataclass(eq=False, repr=False)
class Digits(PreTokenizer):
    """Cut numbers out; with ``individual_digits`` every digit alone.

    >>> [word for word, _ in Digits(individual_digits=True).pre_tokenize_str("2024년")]
    ['2', '0', '2', '4', '년']
    """

    individual_digits: bool = False

    def apply(self, text: AlignedText) -> list[AlignedText]:
        """Numbers and the rest."""
        is_digit = [bool(kind & _text.NUMERIC) for kind in _text.classes_of(text.text)]
        return divide_at(text, is_digit, "isolated" if self.individual_digits else "contiguous")

    def to_dict(self) -> dict[str, Any]:
        """Type and argument."""
        return {"type": "Digits", "individual_digits": self.individual_digits}
