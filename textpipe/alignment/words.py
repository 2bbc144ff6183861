"""Texts → words → numbers.

What enters: texts, or their words. What leaves: words as they are counted, and for each a number from 1; 0 is the empty
word, from which words come that nothing in the other text stands for.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["Numbering", "split_words"]

_WORD = re.compile(r"\w+|[^\w\s]")


def split_words(text: str) -> list[str]:
    """The words of a text and its punctuation marks one by one, composed (NFC).

    Examples
    --------
    >>> split_words("바다는 넓다. (sea)")
    ['바다는', '넓다', '.', '(', 'sea', ')']
    """
    return _WORD.findall(unicodedata.normalize("NFC", text))


class Numbering:
    """Words of one side, numbered as they come; words that differ in case alone are one.

    Examples
    --------
    >>> words = Numbering()
    >>> words.numbers(["The", "sea", "the"]).tolist(), words.word(2)
    ([1, 2, 1], 'sea')
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {"": 0}
        self._words: list[str] = [""]

    def __len__(self) -> int:
        return len(self._words)

    def numbers(self, words: Sequence[str]) -> npt.NDArray[np.int32]:
        """The number of each word."""
        found = np.empty(len(words), dtype=np.int32)
        for place, word in enumerate(words):
            key = word.casefold() or word
            number = self._numbers.setdefault(key, len(self._words))
            if number == len(self._words):
                self._words.append(key)
            found[place] = number
        return found

    def word(self, number: int) -> str:
        """The word of a number, as it is counted."""
        return self._words[number]
