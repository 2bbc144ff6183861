"""Put one text for another.

What enters: a pattern, a string or a ``Regex``, and what stands in its place. What leaves: the text with every match
replaced; the new characters stand for the last character of the match.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textpipe.core import _steps
from textpipe.core._native import NativeStep
from textpipe.normalizers.aligned import AlignedText
from textpipe.normalizers.base import Normalizer
from textpipe.stages.pattern import Regex, pattern_to_dict, replaced

__all__ = ["Replace"]


@dataclass(eq=False, repr=False)
class Replace(Normalizer):
    """Replace every match of ``pattern`` by ``content``.

    >>> Replace("ㅋㅋ", "ㅋ").normalize_str("ㅋㅋㅋㅋ")
    'ㅋㅋ'
    """

    pattern: str | Regex
    content: str

    def native_steps(self) -> tuple[NativeStep, ...] | None:
        """One native step for a plain string, none for a ``Regex``."""
        return (_steps.replace(self.pattern, self.content),) if isinstance(self.pattern, str) else None

    def apply(self, text: AlignedText) -> AlignedText:
        """The text with the matches replaced."""
        if not text.text:
            return text  # as in `tokenizers`, where nothing is found in no text, not even "^"
        if isinstance(self.pattern, str):
            return super().apply(text)
        parts: list[str] = []
        sources: list[int] = []
        for begin, end, is_match, part in replaced(self.pattern, text.text, self.content):
            parts.append(part)
            sources += [end - 1] * len(part) if is_match else range(begin, end)
        return text.replaced("".join(parts), sources)

    def to_dict(self) -> dict[str, Any]:
        """Type, pattern, content."""
        return {"type": "Replace", "pattern": pattern_to_dict(self.pattern), "content": self.content}
