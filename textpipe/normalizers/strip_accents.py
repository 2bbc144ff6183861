"""Text without its combining marks.

What enters: text, decomposed if the marks of composed letters are to go too. What leaves: the text without the
combining marks. Conjoining jamo are letters and stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textpipe.core.character_sets import character_set
from textpipe.normalizers.aligned import AlignedText
from textpipe.normalizers.base import Normalizer

__all__ = ["StripAccents"]


@dataclass(eq=False, repr=False)
class StripAccents(Normalizer):
    """Take combining marks away.

    >>> StripAccents().normalize_str("e\u0301")
    'e'
    """

    def apply(self, text: AlignedText) -> AlignedText:
        """The text without combining marks."""
        return text.kept(lambda character: character not in character_set("COMBINING_MARKS"))

    def to_dict(self) -> dict[str, Any]:
        """``{"type": …}``: there are no arguments."""
        return {"type": "StripAccents"}
