"""Pieces of speech recognition back to text.

What enters: one piece a stretch of sound, many of them the same in a row or the pad. What leaves: each once, without
pads, with spaces where the word delimiter stood.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from textpipe.decoders.base import Decoder
from textpipe.decoders.word_piece import clean_up

__all__ = ["CTC"]


@dataclass(eq=False, repr=False)
class CTC(Decoder):
    """Fold repeated pieces and leave pads out.

    >>> CTC().decode(["한", "한", "<pad>", "글", "|", "<pad>", "글"])
    '한글 글'
    """

    pad_token: str = "<pad>"
    word_delimiter_token: str = "|"
    cleanup: bool = True

    def chain(self, tokens: Sequence[str]) -> list[str]:
        """The pieces that are left."""
        found = []
        for token, _ in groupby(tokens):
            text = token.replace(self.pad_token, "")
            if self.cleanup:
                text = clean_up(text).replace(self.word_delimiter_token, " ")
            if text:
                found.append(text)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Type and arguments."""
        return {
            "type": "CTC",
            "pad_token": self.pad_token,
            "word_delimiter_token": self.word_delimiter_token,
            "cleanup": self.cleanup,
        }
