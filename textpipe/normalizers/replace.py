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
from textpipe.stages.pattern import Regex, check_pattern, pattern_to_dict, replaced
from textpipe.stages.plain_patterns import plain_alternatives

__all__ = ["Replace"]


@dataclass(eq=False, repr=False)
class Replace(Normalizer):
    """Replace every match of ``pattern`` by ``content``.

    >>> Replace("ㅋㅋ", "ㅋ").normalize_str("ㅋㅋㅋㅋ")
    'ㅋㅋ'
    """

    pattern: str | Regex
    content: str

    def __post_init__(self) -> None:
        check_pattern(self.pattern)

    def native_steps(self) -> tuple[NativeStep, ...] | None:
        """One native step for a string and for a pattern made of runs of characters, none for another ``Regex``."""
        if isinstance(self.pattern, str):
            return (_steps.replace(self.pattern, self.content),)
        alternatives = plain_alternatives(self.pattern.pattern)
        return None if alternatives is None else (_steps.pattern_replace(alternatives, self.content),)

    def apply(self, text: AlignedText) -> AlignedText:
        """The text with the matches replaced."""
        if not text.text:
            return text  # as in `tokenizers`, where nothing is found in no text, not even "^"
        if self.native_steps() is not None:
            return super().apply(text)
        assert isinstance(self.pattern, Regex)
        parts: list[str] = []
        sources: list[int] = []
        for begin, end, is_match, part in replaced(self.pattern, text.text, self.content):
            parts.append(part)
            sources += [end - 1] * len(part) if is_match else range(begin, end)
        return text.replaced("".join(parts), sources)

    def to_dict(self) -> dict[str, Any]:
        """Type, pattern, content."""
        return {"type": "Replace", "pattern": pattern_to_dict(self.pattern), "content": self.content}
