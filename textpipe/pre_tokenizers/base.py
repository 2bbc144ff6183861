"""What a pre-tokenizer is.

What enters: normalized text. What leaves: the stretches of it the model works on, each alone. A user's own
pre-tokenizer needs only :meth:`PreTokenizer.apply`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textpipe.core import _steps, _text
from textpipe.core._native import NativeStep
from textpipe.errors import WrongTypeError, a_kind
from textpipe.normalizers.aligned import AlignedText
from textpipe.stages.stage import Stage

if TYPE_CHECKING:
    from textpipe.pre_tokenizers.pre_tokenized_string import PreTokenizedString

__all__ = ["NativeCut", "PreTokenizer"]


@dataclass(frozen=True, slots=True)
class NativeCut:
    """A pre-tokenizer as the native encoder and trainer know it.

    ``steps`` cut and rewrite in order, none for the whole text; ``byte_level`` says that the words go to the model as
    bytes.
    """

    steps: tuple[NativeStep, ...] = ()
    byte_level: bool = False


class PreTokenizer(Stage):
    """Base of the pre-tokenizers: comparable, printable values."""

    __slots__ = ()

    @staticmethod
    def custom(pretok: Any) -> PreTokenizer:
        """A stage around an object of the user's own, which has ``pre_tokenize(pretok)``."""
        from textpipe.pre_tokenizers.custom import Custom

        return Custom(pretok)

    def apply(self, text: AlignedText) -> list[AlignedText]:
        """The pieces, in order; an empty one is left out."""
        native = self.native_cut()
        if native is None:
            raise NotImplementedError(f"{type(self).__name__} has no apply()")
        steps = (*native.steps, _steps.byte_spelling()) if native.byte_level else native.steps
        pieces = [text] if text.text else []
        for step in steps:
            if step.cuts:
                pieces = [part for piece in pieces for part in cut(piece, step)]
            else:
                pieces = [made for piece in pieces if (made := piece.rewritten(step)).text]
        return pieces

    def pre_tokenize(self, pretok: PreTokenizedString) -> None:
        """Cut a text in place; what has tokens already stays as it is.

        Raises
        ------
        InputError
            when it is something else, such as a str.
        """
        from textpipe.normalizers import NormalizedString
        from textpipe.pre_tokenizers.pre_tokenized_string import PreTokenizedString

        if not isinstance(pretok, PreTokenizedString):
            raise WrongTypeError(
                f"pre_tokenize() got {a_kind(pretok)}",
                allowed="a PreTokenizedString",
                hint="pre_tokenize_str() takes a str",
            )

        pretok.split(lambda _, split: [NormalizedString.of(part) for part in self.apply(split.aligned)])

    def pre_tokenize_str(self, sequence: str) -> list[tuple[str, tuple[int, int]]]:
        """Each piece and its place in the text."""
        return [(piece.text, piece.offsets) for piece in self.apply(AlignedText.of(sequence))]

    def native_cut(self) -> NativeCut | None:
        """The native steps that do the same, or None when there is none."""
        return None


def cut(text: AlignedText, step: NativeStep) -> list[AlignedText]:
    """The pieces a native step cuts."""
    places = _text.cut(step, text.text)
    return [text.slice(begin, end) for begin, end in zip(places[::2], places[1::2], strict=True)]
