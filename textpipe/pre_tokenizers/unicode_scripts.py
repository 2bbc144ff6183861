"""Scripts apart.

What enters: text. What leaves: stretches of one script. Hanja and kana count as one script; a character that goes with
any, such as a space, stays with what is before it, and is left out at the start of the text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textpipe.core import _steps
from textpipe.pre_tokenizers.base import NativeCut, PreTokenizer

__all__ = ["UnicodeScripts"]


@dataclass(eq=False, repr=False)
class UnicodeScripts(PreTokenizer):
    """Cut where the script changes.

    >>> [word for word, _ in UnicodeScripts().pre_tokenize_str("한국 KBS뉴스")]
    ['한국 ', 'KBS', '뉴스']
    """

    def native_cut(self) -> NativeCut:
        """One native step."""
        return NativeCut((_steps.script_cut(),))

    def to_dict(self) -> dict[str, Any]:
        """``{"type": …}``: there are no arguments."""
        return {"type": "UnicodeScripts"}
