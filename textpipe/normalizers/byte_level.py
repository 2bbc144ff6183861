"""Text spelled in bytes.

What enters: text. What leaves: each byte of its UTF-8 as one printable character.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textpipe.core.byte_alphabet import to_characters
from textpipe.normalizers.aligned import AlignedText
from textpipe.normalizers.base import Normalizer

__all__ = ["ByteLevel"]


@dataclass(eq=False, repr=False)
class ByteLevel(Normalizer):
    """Spell the bytes, before text is cut.

    >>> ByteLevel().normalize_str("한 1")
    'íķľĠ1'
    """

    def apply(self, text: AlignedText) -> AlignedText:
        """The bytes of the text, each standing for its character."""
        sources = [at for at, character in enumerate(text.text) for _ in character.encode()]
        return text.replaced(to_characters(text.text.encode()), sources)

    def to_dict(self) -> dict[str, Any]:
        """``{"type": …}``: there are no arguments."""
        return {"type": "ByteLevel"}
