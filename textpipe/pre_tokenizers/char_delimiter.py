"""Words between a character.

What enters: text. What leaves: what lies between the delimiters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textpipe.errors import InputError
from textpipe.normalizers.aligned import AlignedText
from textpipe.pre_tokenizers.base import PreTokenizer
from textpipe.pre_tokenizers.split import divide_at

__all__ = ["CharDelimiterSplit"]


@dataclass(eq=False, repr=False)
class CharDelimiterSplit(PreTokenizer):
    """Cut at every ``delimiter`` and leave it out.

    >>> [word for word, _ in CharDelimiterSplit("/").pre_tokenize_str("아버지/가//방")]
    ['아버지', '가', '방']
    """

    delimiter: str

    def __post_init__(self) -> None:
        if len(self.delimiter) != 1:
            raise InputError(f'the delimiter is "{self.delimiter}"', allowed="one character")

    def apply(self, text: AlignedText) -> list[AlignedText]:
        """The words."""
        return divide_at(text, [character == self.delimiter for character in text.text], "removed")

    def to_dict(self) -> dict[str, Any]:
        """Type and argument."""
        return {"type": "CharDelimiterSplit", "delimiter": self.delimiter}
