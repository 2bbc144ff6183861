"""WordPiece pieces back to text.

What enters: pieces, those inside a word with a prefix. What leaves: words with spaces between; with ``cleanup`` none
before punctuation and in English contractions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from textpipe.decoders.base import Decoder

__all__ = ["WordPiece", "clean_up"]

_REPAIRS = (
    (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"),
    (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
)  # fmt: skip
_TORN = re.compile("|".join(re.escape(torn) for torn, _ in _REPAIRS))


@dataclass(eq=False, repr=False)
class WordPiece(Decoder):
    """Join the pieces of words.

    >>> WordPiece().decode(["한국", "##어", "!"])
    '한국어!'
    """

    prefix: str = "##"
    cleanup: bool = True

    def chain(self, tokens: Sequence[str]) -> list[str]:
        """Pieces without prefix, words with a space before."""
        found = [
            token if number == 0 else token[len(self.prefix) :] if token.startswith(self.prefix) else " " + token
            for number, token in enumerate(tokens)
        ]
        return [clean_up(token) for token in found] if self.cleanup else found

    def bytes_alone(self, token: str) -> bytes:
        """The piece without its prefix: the space before a word is no part of it."""
        return token.removeprefix(self.prefix).encode()

    def to_dict(self) -> dict[str, Any]:
        """Type and arguments."""
        return {"type": "WordPiece", "prefix": self.prefix, "cleanup": self.cleanup}


def clean_up(text: str) -> str:
    """Text without the spaces before punctuation and in contractions."""
    if _TORN.search(text) is None:
        return text
    for torn, whole in _REPAIRS:
        text = text.replace(torn, whole)
    return text
