"""Words as BERT cuts them.

What enters: text. What leaves: what lies between white space, each punctuation mark alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textpipe.core import _text
from textpipe.core.character_sets import character_set
from textpipe.normalizers.aligned import AlignedText
from textpipe.pre_tokenizers.base import PreTokenizer, cut
from textpipe.pre_tokenizers.split import divide_at

__all__ = ["BertPreTokenizer"]


@dataclass(eq=False, repr=False)
class BertPreTokenizer(PreTokenizer):
    """Cut at white space and punctuation.

    >>> [word for word, _ in BertPreTokenizer().pre_tokenize_str("안녕, 세상!!")]
    ['안녕', ',', '세상', '!', '!']
    """

    def apply(self, text: AlignedText) -> list[AlignedText]:
        """The words."""
        marks = character_set("PUNCTUATION")
        words = cut(text, _text.WHITESPACE_SPLIT)
        return [
            part
            for word in words
            for part in divide_at(word, [character in marks for character in word.text], "isolated")
        ]

    def to_dict(self) -> dict[str, Any]:
        """``{"type": …}``: there are no arguments."""
        return {"type": "BertPreTokenizer"}
