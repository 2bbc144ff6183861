"""Text for a pre-tokenizer of one's own to work on.

What enters: a text. What leaves: the same object, cut into splits that are normalized, cut again and tokenized, and
that know their places in the original. Promises: the methods, the splits and the places of `tokenizers`'
PreTokenizedString.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from textpipe.encoding import Encoding
from textpipe.errors import InputError, StateError, WrongTypeError, a_kind
from textpipe.models.base import Token
from textpipe.normalizers.aligned import AlignedText
from textpipe.normalizers.normalized_string import NormalizedString

__all__ = ["PreTokenizedString"]


@dataclass(slots=True)
class _Split:
    text: NormalizedString
    tokens: list[Token] | None = None


class PreTokenizedString:
    """A text and its splits; what has tokens already is cut and normalized no more.

    Examples
    --------
    >>> text = PreTokenizedString("안녕 세상")
    >>> text.split(lambda number, split: split.split(" ", "removed"))
    >>> text.get_splits()
    [('안녕', (0, 2), None), ('세상', (3, 5), None)]
    """

    __slots__ = ("_held", "_source")

    def __init__(self, sequence: str) -> None:
        self._source = sequence
        self._held: list[_Split] | None = [_Split(NormalizedString(sequence))]

    @classmethod
    def of(cls, parts: Iterable[tuple[AlignedText, list[Token] | None]], source: str) -> PreTokenizedString:
        """One that goes on from parts that were cut before."""
        made = cls(source)
        made._held = [_Split(NormalizedString.of(text), tokens) for text, tokens in parts]
        return made

    @property
    def _splits(self) -> list[_Split]:
        if self._held is None:
            raise StateError(
                "a PreTokenizedString is used after the call it was given to has returned",
                hint="take what you need of it, such as get_splits(), before you return",
            )
        return self._held

    @_splits.setter
    def _splits(self, splits: list[_Split]) -> None:
        self._held = splits

    def release(self) -> list[tuple[AlignedText, list[Token] | None]]:
        """The splits as they are now, taken out: nothing can be done with this object any more."""
        parts = self.parts
        self._held = None
        return parts

    @property
    def parts(self) -> list[tuple[AlignedText, list[Token] | None]]:
        """The splits as they are now, with their origins and tokens."""
        return [(split.text.aligned, split.tokens) for split in self._splits]

    def split(self, func: Callable[[int, NormalizedString], Sequence[NormalizedString]]) -> None:
        """Cut each split that has no tokens into those that ``func(number, split)`` gives; empty ones are left out.

        Raises
        ------
        InputError
            when it gives anything else.
        """
        made: list[_Split] = []
        for number, split in enumerate(self._splits):
            if split.tokens is not None:
                made.append(split)
                continue
            parts = func(number, split.text)
            _check_list(parts, NormalizedString, f"split {number} was cut")
            made += [_Split(part) for part in parts if part.normalized]
        self._splits = made

    def normalize(self, func: Callable[[NormalizedString], object]) -> None:
        """Let ``func`` change each split that has no tokens."""
        for split in self._splits:
            if split.tokens is None:
                func(split.text)

    def tokenize(self, func: Callable[[str], Sequence[Token]]) -> None:
        """Give each split that has none the tokens that ``func`` finds in its text; their places count its bytes.

        Raises
        ------
        InputError
            when it gives anything but tokens.
        """
        for number, split in enumerate(self._splits):
            if split.tokens is None:
                tokens = func(split.text.normalized)
                _check_list(tokens, Token, f"split {number} was tokenized")
                split.tokens = list(tokens)

    def get_splits(
        self, offset_referential: str = "original", offset_type: str = "char"
    ) -> list[tuple[str, tuple[int, int], list[Token] | None]]:
        """Text, place and tokens of each split.

        Parameters
        ----------
        offset_referential : places in the ``original``, or in the ``normalized`` text put together.
        offset_type : places count ``char`` or ``byte`` (of UTF-8).
        """
        referential = getattr(offset_referential, "value", offset_referential)
        kind = getattr(offset_type, "value", offset_type)
        for name, value, allowed in (
            ("offset_referential", referential, ("original", "normalized")),
            ("offset_type", kind, ("char", "byte")),
        ):
            if value not in allowed:
                raise InputError(f'{name} is "{value}"', allowed=", ".join(allowed))
        found = []
        at = 0
        for split in self._splits:
            text = split.text.normalized
            if referential == "original":
                begin, end = split.text.aligned.span
                if kind == "byte":
                    begin = len(self._source[:begin].encode())
                    end = begin + len(split.text.original.encode())
            else:
                begin, end = at, at + len(text.encode() if kind == "byte" else text)
                at = end
            found.append((text, (begin, end), split.tokens))
        return found

    def to_encoding(self, type_id: int = 0, word_idx: int | None = None) -> Encoding:
        """The tokens of all splits as an encoding; ``word_idx`` is the word of them all, else each split is one.

        Raises
        ------
        StateError
            when a split has not been tokenized.
        """
        ids: list[int] = []
        pieces: list[str] = []
        places: list[tuple[int, int]] = []
        words: list[int] = []
        for number, split in enumerate(self._splits):
            if split.tokens is None:
                raise StateError(
                    f'split {number} ("{split.text.normalized[:40]}") has no tokens', hint="call tokenize()"
                )
            located = split.text.aligned.origins_of_bytes([token.offsets for token in split.tokens])
            for token, place in zip(split.tokens, located, strict=True):
                ids.append(token.id)
                pieces.append(token.value)
                places.append(place)
                words.append(number if word_idx is None else word_idx)
        return Encoding.of_tokens(ids, pieces, places, words, type_id=type_id)


def _check_list(value: object, kind: type, what: str) -> None:
    """Refuse what a function of the user's own gives instead of a list of this kind."""
    listed = isinstance(value, list | tuple)
    parts = value if isinstance(value, list | tuple) else (value,)
    wrong = next((part for part in parts if not isinstance(part, kind)), _ALL_RIGHT)
    if not listed and wrong is _ALL_RIGHT:
        wrong = value  # one by itself is no list of one
    if wrong is _ALL_RIGHT:
        return
    name = a_kind(wrong)
    into = f"a list with {name} in it" if listed else name
    raise WrongTypeError(f"{what} into {into}", allowed=f"a list of {kind.__name__}")


_ALL_RIGHT = object()
