"""A pre-tokenizer of the user's own.

What enters: an object with ``pre_tokenize(pretok)``, which cuts a
:class:`~textpipe.pre_tokenizers.PreTokenizedString` in place. What leaves: a stage like any other, that a file cannot
hold.
"""

from __future__ import annotations

from typing import Any, Protocol

from textpipe.normalizers.aligned import AlignedText
from textpipe.pre_tokenizers.base import PreTokenizer
from textpipe.pre_tokenizers.pre_tokenized_string import PreTokenizedString
from textpipe.stages.stage import check_methods, refuse_to_write

__all__ = ["Custom", "PreTokenizes"]


class PreTokenizes(Protocol):
    """What an object needs to be a pre-tokenizer."""

    def pre_tokenize(self, pretok: PreTokenizedString) -> None:
        """Cut the text in place."""


class Custom(PreTokenizer):
    """The stage around such an object, made by :meth:`PreTokenizer.custom`."""

    def __init__(self, component: PreTokenizes) -> None:
        check_methods(component, ("pre_tokenize",), "pre-tokenizer")
        self.component = component

    def apply(self, text: AlignedText) -> list[AlignedText]:
        """The pieces the object cuts the text into."""
        cut = PreTokenizedString.of([(text, None)], text.source)
        self.pre_tokenize(cut)
        return [part for part, _ in cut.release()]

    def pre_tokenize(self, pretok: PreTokenizedString) -> None:
        """Let the object cut the text."""
        self.component.pre_tokenize(pretok)

    def settings(self) -> tuple[Any, ...]:
        """The object itself: nothing is known of what it is set to."""
        return (Custom, id(self.component))

    def to_dict(self) -> dict[str, Any]:
        """Refused: a file cannot hold a Python object."""
        refuse_to_write(self.component, "pre-tokenizer")

    def __repr__(self) -> str:
        return f"PreTokenizer.custom({self.component!r})"
