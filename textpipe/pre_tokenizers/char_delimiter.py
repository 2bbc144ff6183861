"""Words between a character.

What enters: text. What leaves: what lies between the delimiters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textpipe.core import _steps
from textpipe.errors import InputError
from textpipe.pre_tokenizers.base import NativeCut, PreTokenizer
from textpipe.pre_tokenizers.split import BEHAVIOR_NUMBERS

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

    def native_cut(self) -> NativeCut:
        """One native step."""
        return NativeCut((_steps.literal_split(self.delimiter, BEHAVIOR_NUMBERS["removed"], False),))

    def to_dict(self) -> dict[str, Any]:
        """Type and argument."""
        return {"type": "CharDelimiterSplit", "delimiter": self.delimiter}
