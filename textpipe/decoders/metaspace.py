"""Pieces with a visible space back to text.

What enters: pieces where a character such as ▁ stands for a space. What leaves: text with spaces; the one that was put
before the first word is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from textpipe.decoders.base import Decoder
from textpipe.pre_tokenizers.metaspace import check_metaspace

__all__ = ["Metaspace"]


@dataclass(eq=False, repr=False)
class Metaspace(Decoder):
    """Make ``replacement`` a space again. ``split`` is kept for tokenizer.json.

    >>> Metaspace().decode(["▁안녕", "▁세", "상"])
    '안녕 세상'
    """

    replacement: str = "▁"
    prepend_scheme: str = "always"
    split: bool = True

    def __post_init__(self) -> None:
        check_metaspace(self.replacement, self.prepend_scheme)

    def chain(self, tokens: Sequence[str]) -> list[str]:
        """The pieces with spaces."""
        first = " " if self.prepend_scheme == "never" else ""
        return [token.replace(self.replacement, " " if number else first) for number, token in enumerate(tokens)]

    def decode(self, tokens: Sequence[str]) -> str:
        """The text of the pieces; all but the first together, for a replacement is one character."""
        return "".join(self.chain(tokens[:1])) + "".join(tokens[1:]).replace(self.replacement, " ")

    def to_dict(self) -> dict[str, Any]:
        """Type and arguments."""
        return {
            "type": "Metaspace",
            "replacement": self.replacement,
            "prepend_scheme": self.prepend_scheme,
            "split": self.split,
        }
