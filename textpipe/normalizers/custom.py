"""A normalizer of the user's own.

What enters: an object with ``normalize(normalized)``, which changes a
:class:`~textpipe.normalizers.NormalizedString` in place. What leaves: a stage like any other, that a file cannot hold.
"""

from __future__ import annotations

from typing import Any, Protocol

from textpipe.normalizers.aligned import AlignedText
from textpipe.normalizers.base import Normalizer
from textpipe.normalizers.normalized_string import NormalizedString
from textpipe.stages.stage import check_methods, refuse_to_write

__all__ = ["Custom", "Normalizes"]


class Normalizes(Protocol):
    """What an object needs to be a normalizer."""

    def normalize(self, normalized: NormalizedString) -> None:
        """Change the text in place."""


class Custom(Normalizer):
    """The stage around such an object, made by :meth:`Normalizer.custom`."""

    def __init__(self, component: Normalizes) -> None:
        check_methods(component, ("normalize",), "normalizer")
        self.component = component

    def apply(self, text: AlignedText) -> AlignedText:
        """What the object makes of the text."""
        changed = NormalizedString.of(text)
        self.component.normalize(changed)
        return changed.release()

    def settings(self) -> tuple[Any, ...]:
        """The object itself: nothing is known of what it is set to."""
        return (Custom, id(self.component))

    def to_dict(self) -> dict[str, Any]:
        """Refused: a file cannot hold a Python object."""
        refuse_to_write(self.component, "normalizer")

    def __repr__(self) -> str:
        return f"Normalizer.custom({self.component!r})"
