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
from textpipe.pre_tokenizers.split import divide

__all__ = ["Digits"]


@dataclass(frozen=True)
class Digits(PreTokenizer):
    """Cut numbers out; with ``individual_digits`` every digit alone.

    >>> [word for word, _ in Digits(individual_digits=True).pre_tokenize_str("2024년")]
    ['2', '0', '2', '4', '년']
    """

    individual_digits: bool = False

    def split(self, text: AlignedText) -> list[AlignedText]:
        """Numbers and the rest."""
        places = [(at, at + 1, bool(kind & _text.NUMERIC)) for at, kind in enumerate(_text.classes_of(text.text))]
        if not self.individual_digits:
            return divide(text, places, "contiguous")
        rest_joined: list[tuple[int, int, bool]] = []
        for begin, end, is_digit in places:
            if not is_digit and rest_joined and not rest_joined[-1][2]:
                rest_joined[-1] = (rest_joined[-1][0], end, False)
            else:
                rest_joined.append((begin, end, is_digit))
        return divide(text, rest_joined, "isolated")

    def to_dict(self) -> dict[str, Any]:
        """Type and argument."""
        return {"type": "Digits", "individual_digits": self.individual_digits}
