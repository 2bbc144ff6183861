"""Documents too short to teach anything.

What enters: a document. What leaves: it, or a drop when it has fewer characters than asked for. Characters are counted
without white space, so that a page is not kept for its empty lines; a Korean page says in 100 what takes English 200.
"""

from __future__ import annotations

from textpipe.clean.stages import Drop
from textpipe.records import Document

__all__ = ["MinChars"]


class MinChars:
    """The stage: drops documents under ``min_chars`` characters that are not white space; empty ones always."""

    name = "length"

    def __init__(self, min_chars: int) -> None:
        self.min_chars = min_chars

    def __call__(self, document: Document) -> Document | Drop:
        num_chars = sum(map(len, document.text.split()))
        if num_chars == 0:
            return Drop("empty")
        if num_chars < self.min_chars:
            return Drop("too_short", f"{num_chars} characters; wanted {self.min_chars}")
        return document
