"""Scripts apart.

What enters: text. What leaves: stretches of one script. Hanja and kana count as one script; a character that goes with
any, such as a space, stays with what is before it, and is left out at the start of the text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textpipe.core.character_sets import script_of
from textpipe.normalizers.aligned import AlignedText
from textpipe.pre_tokenizers.base import PreTokenizer

__all__ = ["UnicodeScripts"]


@dataclass(eq=False, repr=False)
class UnicodeScripts(PreTokenizer):
    """Cut where the script changes.

    >>> [word for word, _ in UnicodeScripts().pre_tokenize_str("한국 KBS뉴스")]
    ['한국 ', 'KBS', '뉴스']
    """

    def apply(self, text: AlignedText) -> list[AlignedText]:
        """The stretches."""
        begins: list[int] = []
        last: int | None = None
        for at, character in enumerate(text.text):
            script = script_of(character)
            if script is not None and script != last:
                begins.append(at)
                last = script
        ends = [*begins[1:], len(text.text)]
        return [text.slice(begin, end) for begin, end in zip(begins, ends, strict=False)]

    def to_dict(self) -> dict[str, Any]:
        """``{"type": …}``: there are no arguments."""
        return {"type": "UnicodeScripts"}
