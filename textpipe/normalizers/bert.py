"""The clean-up of BERT.

What enters: text. What leaves: text without control characters, with plain spaces, with every Chinese character a
word of its own, and, for uncased models, without accents and capitals. Mind that taking accents away decomposes the
text: Hangul syllables leave as conjoining jamo.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textpipe.core import _text
from textpipe.core.character_sets import character_set
from textpipe.normalizers.aligned import AlignedText
from textpipe.normalizers.base import Normalizer
from textpipe.normalizers.lowercase import Lowercase
from textpipe.normalizers.unicode_forms import NFD

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

    def apply(self, text: AlignedText) -> AlignedText:
        """The clean text."""
        if self.clean_text:
            control = character_set("CONTROL")
            text = text.kept(lambda character: character not in control)
            spaces = zip(text.text, _text.classes_of(text.text), strict=True)
            plain = "".join([" " if kind & _text.SPACE else character for character, kind in spaces])
            text = text.respelled(plain)
        if self.handle_chinese_chars:
            chinese = character_set("CHINESE")
            parts = [f" {character} " if character in chinese else character for character in text.text]
            text = text.replaced("".join(parts), [at for at, part in enumerate(parts) for _ in part])
        if self.lowercase if self.strip_accents is None else self.strip_accents:
            accents = character_set("NONSPACING_MARKS")
            text = NFD().apply(text).kept(lambda character: character not in accents)
        return Lowercase().apply(text) if self.lowercase else text

    def to_dict(self) -> dict[str, Any]:
        """Type and arguments."""
        return {
            "type": "BertNormalizer",
            "clean_text": self.clean_text,
            "handle_chinese_chars": self.handle_chinese_chars,
            "strip_accents": self.strip_accents,
            "lowercase": self.lowercase,
        }
