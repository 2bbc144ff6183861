"""The clean-up of BERT.

What enters: text. What leaves: text without control characters, with plain spaces, with every Chinese character a
word of its own, and, for uncased models, without accents and capitals. Mind that taking accents away decomposes the
text: Hangul syllables leave as conjoining jamo.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textpipe.core import _steps
from textpipe.core._native import NativeStep
from textpipe.normalizers.base import Normalizer

__all__ = ["BertNormalizer"]


@dataclass(eq=False, repr=False)
class BertNormalizer(Normalizer):
    """Clean text for a BERT model.

    Parameters
    ----------
    clean_text : take control characters away and make all white space plain spaces.
    handle_chinese_chars : put spaces around Chinese characters.
    strip_accents : decompose, and take accents away; None to do so when ``lowercase`` is set.
    lowercase : put each character in lower case.

    Examples
    --------
    >>> BertNormalizer().normalize_str("Café\t中")
    'cafe  中 '
    """

    clean_text: bool = True
    handle_chinese_chars: bool = True
    strip_accents: bool | None = None
    lowercase: bool = True

    def options(self) -> dict[str, bool]:
        """The settings, ``strip_accents`` decided."""
        return {
            "clean_text": self.clean_text,
            "handle_chinese_chars": self.handle_chinese_chars,
            "strip_accents": self.lowercase if self.strip_accents is None else self.strip_accents,
            "lowercase": self.lowercase,
        }

    def native_steps(self) -> tuple[NativeStep, ...]:
        """One native step."""
        return (_steps.bert_rewrite(**self.options()),)

    def to_dict(self) -> dict[str, Any]:
        """Type and arguments."""
        return {
            "type": "BertNormalizer",
            "clean_text": self.clean_text,
            "handle_chinese_chars": self.handle_chinese_chars,
            "strip_accents": self.strip_accents,
            "lowercase": self.lowercase,
        }
