"""Put one text for another in every piece.

What enters: a pattern, a string or a ``Regex``, and what stands in its place. What leaves: the pieces with every match
replaced.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from textpipe.decoders.base import Decoder
from textpipe.stages.pattern import Regex, pattern_to_dict, replaced

__all__ = ["Replace"]


@dataclass(eq=False, repr=False)
class Replace(Decoder):
    """Replace every match of ``pattern`` by ``content``.

    >>> Replace("▁", " ").decode(["▁한", "글"])
    ' 한글'
    """

    pattern: str | Regex
    content: str

    def chain(self, tokens: Sequence[str]) -> list[str]:
        """The pieces with the matches replaced."""
        if isinstance(self.pattern, str) and 0 < len(self.content) <= len(self.pattern):  # no piece grows
            return [token.replace(self.pattern, self.content) for token in tokens]
        return ["".join([part for *_, part in replaced(self.pattern, token, self.content)]) for token in tokens]

    def to_dict(self) -> dict[str, Any]:
        """Type, pattern, content."""
        return {"type": "Replace", "pattern": pattern_to_dict(self.pattern), "content": self.content}
