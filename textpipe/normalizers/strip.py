"""White space at the ends of a text.

What enters: text. What leaves: the text without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textpipe.core import _text
from textpipe.normalizers.aligned import AlignedText
from textpipe.normalizers.base import Normalizer

__all__ = ["Strip"]


@dataclass(eq=False, repr=False)
class Strip(Normalizer):
    """Take white space away on the ``left`` and on the ``right``.

    >>> Strip(right=False).normalize_str("\u3000 한글 ")
    '한글 '
    """

    left: bool = True
    right: bool = True

    def apply(self, text: AlignedText) -> AlignedText:
        """The text without white space at its ends."""
        is_space = [bool(kind & _text.SPACE) for kind in _text.classes_of(text.text)]
        begin, end = 0, len(is_space)
        while self.left and begin < end and is_space[begin]:
            begin += 1
        while self.right and end > begin and is_space[end - 1]:
            end -= 1
        return text.slice(begin, end)

    def to_dict(self) -> dict[str, Any]:
        """Type and the sides."""
        return {"type": "Strip", "strip_left": self.left, "strip_right": self.right}
