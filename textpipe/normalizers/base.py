"""What a normalizer is.

What enters: text. What leaves: text, cleaned up, with the origin of each character where it is asked for. A user's
own normalizer needs only :meth:`Normalizer.apply`.
"""

from __future__ import annotations

from typing import Any

from textpipe.core import _text
from textpipe.core._native import NativeStep
from textpipe.errors import WrongTypeError, a_kind
from textpipe.normalizers.aligned import AlignedText
from textpipe.normalizers.normalized_string import NormalizedString
from textpipe.stages.stage import Stage

__all__ = ["Normalizer"]


class Normalizer(Stage):
    """Base of the normalizers: comparable, printable values."""

    __slots__ = ()

    @staticmethod
    def custom(normalizer: Any) -> Normalizer:
        """A stage around an object of the user's own, which has ``normalize(normalized)``."""
        from textpipe.normalizers.custom import Custom

        return Custom(normalizer)

    def apply(self, text: AlignedText) -> AlignedText:
        """The normalized text with its origins."""
        steps = self.native_steps()
        if steps is None:
            raise NotImplementedError(f"{type(self).__name__} has no apply()")
        for step in steps:
            text = text.rewritten(step)
        return text

    def normalize(self, normalized: NormalizedString) -> None:
        """Change a text in place; it keeps the places of its characters in the original.

        Raises
        ------
        InputError
            when it is something else, such as a str.
        """
        if not isinstance(normalized, NormalizedString):
            raise WrongTypeError(
                f"normalize() got {a_kind(normalized)}",
                allowed="a NormalizedString",
                hint="normalize_str() takes a str",
            )
        normalized.become(self.apply(normalized.aligned))

    def normalize_str(self, sequence: str) -> str:
        """The normalized text alone.

        Raises
        ------
        InputError
            when the text holds a lone surrogate.
        """
        steps = self.native_steps()
        _text.check_characters(sequence)
        if steps is None:
            return self.apply(AlignedText.of(sequence)).text
        for step in steps:
            sequence = _text.rewrite(step, sequence)
        return sequence

    def native_steps(self) -> tuple[NativeStep, ...] | None:
        """The native steps that do the same, or None when there are none."""
        return None
