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


@dataclass(eq=False, repr=False, init=False)
class Strip(Decoder):
    """Take up to ``left`` characters ``content`` away from the start of each piece, and up to ``right`` from the end.

    The two numbers are the attributes ``start`` and ``stop``.

    >>> Strip(" ", left=1).chain(["  한글"])
    [' 한글']
    """

    content: str = " "
    start: int = 0
    stop: int = 0

    def __init__(self, content: str = " ", left: int = 0, right: int = 0) -> None:
        self.content = content
        self.start = left
        self.stop = right
        self.__post_init__()

    def __post_init__(self) -> None:
        if len(self.content) != 1:
            raise InputError(f'Strip takes away "{self.content}"', allowed="one character")
        if self.start < 0 or self.stop < 0:
            raise InputError(f"Strip takes away {self.start} and {self.stop} characters", allowed="0 or more")

    def chain(self, tokens: Sequence[str]) -> list[str]:
        """The shorter pieces."""
        found = []
        for token in tokens:
            begin = min(self.start, len(token) - len(token.lstrip(self.content)))
            rest = token[begin:]
            found.append(rest[: len(rest) - min(self.stop, len(rest) - len(rest.rstrip(self.content)))])
        return found

    def to_dict(self) -> dict[str, Any]:
        """Type and arguments."""
        return {"type": "Strip", "content": self.content, "start": self.start, "stop": self.stop}
