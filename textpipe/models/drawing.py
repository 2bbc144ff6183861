"""Spellings by chance, and the likeliest of them.

What enters: a model whose pieces have scores, an ``alpha`` and a number. What leaves: spellings of a word: one drawn,
or the likeliest in order. Promises: a spelling is drawn as often as its likelihood to the power ``alpha`` says, of all
there are or of the ``nbest_size`` likeliest; a seed decides which.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from textpipe.errors import InputError, LimitError
from textpipe.limits import DEFAULT_LIMITS
from textpipe.models.base import Token
from textpipe.models.chance import ChanceModel

if TYPE_CHECKING:
    from textpipe.core._unigram import NativeUnigram

__all__ = ["DrawingModel", "Spelling", "placed_tokens"]

_SAME_PLACE = 0xFFFFFFFF  # model.hpp


class Spelling(NamedTuple):
    """One way to put a word together, and the logarithm of its likelihood."""

    score: float
    tokens: list[Token]


class DrawingModel(ChanceModel):
    """A model that can draw spellings; ``alpha``, ``nbest_size`` and ``seed`` are its settings.

    Notes
    -----
    Kudo (2018), "Subword Regularization".
    """

    alpha: float | None
    nbest_size: int | None

    def _lattice(self) -> NativeUnigram:
        """The native tables of all spellings.

        Raises
        ------
        InputError
            when the model has but one spelling of a word.
        """
        raise NotImplementedError(f"{type(self).__name__} has no _lattice()")

    def _check_drawing(self) -> None:
        self._check_seed()
        if self.alpha is not None and not math.isfinite(self.alpha):
            raise InputError(f"alpha is {self.alpha}", allowed="a finite number")
        if self.nbest_size is not None and not 0 <= self.nbest_size <= DEFAULT_LIMITS.nbest_size:
            raise InputError(f"nbest_size is {self.nbest_size}", allowed=f"0 to {DEFAULT_LIMITS.nbest_size}")

    @property
    def draws(self) -> bool:
        """With an alpha."""
        return bool(self.alpha)

    def unwritten(self) -> dict[str, Any]:
        """All that says what is drawn."""
        return {"alpha": self.alpha, "nbest_size": self.nbest_size, "seed": self.seed}

    def sample(self, sequence: str, seed: int) -> list[Token]:
        """The tokens of one word; where there is an ``alpha``, ``seed`` decides what is drawn.

        Raises
        ------
        InputError
            when a character has no piece, and there is none for such.
        """
        native = self.native(byte_level=False) or self._lattice()
        try:
            found = native.tokenize(sequence, seed)
        except ValueError:
            raise InputError(
                f'no pieces spell "{sequence[:40]}", and there is none for the unknown', hint="give an unk_id"
            ) from None
        return self._tokens(sequence, found)

    def nbest(self, sequence: str, count: int) -> list[Spelling]:
        """The likeliest ways to put one word together, likeliest first.

        Parameters
        ----------
        sequence : a word as the model sees it: normalized, and for sentencepiece all of a sentence.
        count : how many, at most.

        Raises
        ------
        InputError, LimitError
            when ``count`` is above the cap, or the word is too long for so many.

        Examples
        --------
        >>> from textpipe.models import Unigram
        >>> model = Unigram([("<unk>", 0.0), ("한", -3.0), ("국", -3.0), ("한국", -4.0)], unk_id=0)
        >>> [spelling.score for spelling in model.nbest("한국", 5)]
        [-4.0, -6.0]
        """
        limits = DEFAULT_LIMITS
        if not 1 <= count <= limits.nbest_size:
            raise InputError(f"{count} spellings", allowed=f"1 to {limits.nbest_size}")
        if len(sequence) * count > limits.lattice_ways:
            raise LimitError(
                f"{count} spellings of {len(sequence)} characters",
                allowed=f"{limits.lattice_ways // count} characters",
                hint="ask word by word",
            )
        found = self._lattice().nbest(sequence, count)
        return [Spelling(score, self._tokens(sequence, tokens)) for score, tokens in found]

    def _tokens(self, sequence: str, found: list[tuple[int, int]]) -> list[Token]:
        return placed_tokens(sequence, found, self._piece_of, self.surface_id)


def placed_tokens(
    text: str, found: list[tuple[int, int]], pieces: dict[int, str], surface_id: int | None
) -> list[Token]:
    """Tokens from ids and the bytes each takes; those of ``surface_id`` read as the text they stand for."""
    data = text.encode()
    tokens: list[Token] = []
    begin = end = 0
    for number, size in found:
        if size != _SAME_PLACE:
            begin, end = end, end + size
        value = data[begin:end].decode() if number == surface_id else pieces[number]
        tokens.append(Token(number, value, (begin, end)))
    return tokens
