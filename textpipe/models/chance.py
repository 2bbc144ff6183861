"""Models that draw lots: what they draw by.

What enters: a model with a ``seed``, or without one. What leaves: for each word of each text the seed that its tokens
are drawn by. Promises: with a ``seed`` a word's is a pure function of that, of the text's bytes and of the word's
number in the text, so that no order, batch, thread or text before has a part in it; without one every call draws anew,
and every text of a call apart from the others.
"""

from __future__ import annotations

import copy
import itertools
import secrets
from collections.abc import Iterator, Sequence
from typing import Self

from textpipe.core._native import text_seed, word_seed
from textpipe.errors import InputError
from textpipe.models.base import Lots, Model, Token

__all__ = ["ChanceModel", "word_seeds"]

_MAX_SEED = (1 << 64) - 1


class ChanceModel(Model):
    """A model that may draw its tokens; ``seed`` is one of its settings."""

    seed: int | None

    @property
    def draws(self) -> bool:
        """Whether it is set to draw."""
        raise NotImplementedError(f"{type(self).__name__} does not say whether it draws")

    @property
    def repeatable(self) -> bool:
        """Not where it draws: what a text's tokens are changes with the seed."""
        return not self.draws

    def seeded(self, seed: int) -> Self:
        """Itself where it has a seed or draws nothing, else a copy with this one."""
        if not self.draws or self.seed is not None:
            return self
        other = copy.copy(self)
        other.seed = seed
        return other

    def _check_seed(self) -> None:
        if self.seed is not None and not 0 <= self.seed <= _MAX_SEED:
            raise InputError(f"seed is {self.seed}", allowed=f"0 to {_MAX_SEED}, or None to draw anew each time")

    def lots(self, words: Sequence[str] | None = None) -> Lots | None:
        """What the texts of a call are drawn by, or the ``words`` of one text that was cut beforehand."""
        if not self.draws:
            return None
        if self.seed is None:
            return Lots(secrets.randbits(64), by_number=True)
        if words is None:
            return Lots(self.seed, by_number=False)
        seed = self.seed
        for word in words:
            seed = text_seed(seed, False, word, 0)
        return Lots(seed, by_number=True)

    def tokenize(self, sequence: str) -> list[Token]:
        """The tokens of one word, which with a ``seed`` are those of a text of this word alone.

        Raises
        ------
        InputError
            when a character has no piece, and there is none for such.
        """
        lots = self.lots()
        return self.sample(sequence, 0 if lots is None else next(word_seeds(lots, sequence)))


def word_seeds(lots: Lots, text: str, number: int = 0) -> Iterator[int]:
    """The seeds of a text's words, one after the other; ``number`` is the text's in its call."""
    seed = text_seed(*lots, text, number)
    return (word_seed(seed, word) for word in itertools.count())
