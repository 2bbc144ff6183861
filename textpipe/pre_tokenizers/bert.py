"""Words as BERT cuts them.

What enters: text. What leaves: what lies between white space, each punctuation mark alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textpipe.core import _steps
from textpipe.pre_tokenizers.base import NativeCut, PreTokenizer

__all__ = ["BertPreTokenizer"]


@dataclass(eq=False, repr=False)
class BertPreTokenizer(PreTokenizer):
    """Cut at white space and punctuation.

    >>> [word for word, _ in BertPreTokenizer().pre_tokenize_str("안녕, 세상!!")]
    ['안녕', ',', '세상', '!', '!']
    """

    def native_cut(self) -> NativeCut:
        """One native step."""
        return NativeCut((_steps.bert_cut(),))

    def to_dict(self) -> dict[str, Any]:
        """``{"type": …}``: there are no arguments."""
        return {"type": "BertPreTokenizer"}
