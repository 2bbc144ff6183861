"""A character at the ends of pieces.

What enters: pieces. What leaves: each without some of that character at its ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from textpipe.decoders.base import Decoder
from textpipe.errors import InputError

__all__ = ["Strip"]


@dataclass(frozen=True)
class Strip(Decoder):
    """Take up to ``left`` characters ``content`` away from the start of each piece, and up to ``right`` from the end.

    >>> Strip(" ", left=1).chain(["  한글"])
    [' 한글']
    """

    content: str = " "
    left: int = 0
    right: int = 0

    def __post_init__(self) -> None:
        if len(self.content) != 1:
            raise InputError(f'Strip takes away "{self.content}"', allowed="one character")
        if self.left < 0 or self.right < 0:
            raise InputError(f"Strip takes away {self.left} and {self.right} characters", allowed="0 or more")

    @property
    def start(self) -> int:
        """Another name of ``left``, that of tokenizer.json."""
        return self.left

    @property
    def stop(self) -> int:
        """Another name of ``right``, that of tokenizer.json."""
        return self.right

    def chain(self, tokens: Sequence[str]) -> list[str]:
        """The shorter pieces."""
        found = []
        for token in tokens:
            begin = min(self.left, len(token) - len(token.lstrip(self.content)))
            rest = token[begin:]
            found.append(rest[: len(rest) - min(self.right, len(rest) - len(rest.rstrip(self.content)))])
        return found

    def to_dict(self) -> dict[str, Any]:
        """Type and arguments."""
        return {"type": "Strip", "content": self.content, "start": self.left, "stop": self.right}
