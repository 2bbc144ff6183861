"""The clean-up of translation models.

What enters: text. What leaves: text without most ASCII control characters, where tabs, line ends, zero-width and other
odd spaces are plain ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textpipe.core.character_sets import CharacterSet
from textpipe.normalizers.aligned import AlignedText
from textpipe.normalizers.base import Normalizer

__all__ = ["Nmt"]

_DROPPED = CharacterSet("1-8 B E-1F 7F 8F 9F")
_SPACES = CharacterSet("9-A C-D 1680 200B-200F 2028-2029 2581 FEFF FFFD")


@dataclass(eq=False, repr=False)
class Nmt(Normalizer):
    """Drop control characters and make odd spaces plain.

    >>> Nmt().normalize_str("한\u200b글\x01")
    '한 글'
    """

    def apply(self, text: AlignedText) -> AlignedText:
        """The clean text."""
        text = text.kept(lambda character: character not in _DROPPED)
        plain = "".join([" " if character in _SPACES else character for character in text.text])
        return text.respelled(plain)

    def to_dict(self) -> dict[str, Any]:
        """``{"type": …}``: there are no arguments."""
        return {"type": "Nmt"}
