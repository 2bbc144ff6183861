"""Which pairs each step of a run reads: a function of (seed, step).

What enters: the lengths of pairs. What leaves: batches of pairs of about one length, as many as fit ``batch_tokens`` of
the longer side, padding counted. Which those are is planned for a whole epoch from the lengths alone: pairs are
shuffled, sorted by length within pools of some thousands, cut into batches, and the batches shuffled, all by keys of
(seed, epoch). So a step's batch depends on nothing but (seed, step), and a run resumes exactly.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from textpipe.data.permutation import derive_key, permute
from textpipe.errors import ConfigError, InputError

if TYPE_CHECKING:
    from textpipe.data.pairs import PairBatch

__all__ = ["PairPlan", "Pairs"]

_POOL_PAIRS = 8192  # sorted by length together


class Pairs(Protocol):
    """Pairs that are told by number: what batches are planned from."""

    num_pairs: int

    def lengths(self) -> npt.NDArray[np.int64]: ...
    def batch(self, numbers: npt.NDArray[np.int64], *, begin: int) -> PairBatch: ...


class PairPlan:
    """Which pairs each step of a run sees.

    Parameters
    ----------
    split : the pairs.
    batch_tokens : most tokens of a batch: pairs times the longest of either side among them.
    context : pairs with a longer side are left out; ``num_too_long`` tells how many.
    begin : the id targets are read from.

    Raises
    ------
    InputError
        when no pair is short enough.

    Notes
    -----
    Planning an epoch takes O(pairs · log) time, about 0.2 s a million; a run that goes on in epoch e plans those before
    it once more, to know where it begins.
    """

    def __init__(self, split: Pairs, *, batch_tokens: int, context: int, seed: int, begin: int) -> None:
        if batch_tokens < context:
            raise ConfigError(
                f"batch_tokens {batch_tokens} is less than one pair of {context} tokens", allowed=f"{context}"
            )
        self.split, self.batch_tokens, self.seed, self.begin = split, batch_tokens, seed, begin
        self._lengths = split.lengths()
        self._numbers = np.flatnonzero(self._lengths <= context)
        self.num_too_long = split.num_pairs - len(self._numbers)
        if not len(self._numbers):
            raise InputError(f"all {split.num_pairs} pairs are longer than {context} tokens", hint="raise the context")
        self._epochs: list[list[npt.NDArray[np.int64]]] = []
        self._first_step = [0]  # of each epoch planned so far

    def numbers(self, step: int) -> npt.NDArray[np.int64]:
        """The numbers of the pairs of a step."""
        while step >= self._first_step[-1]:
            planned = self._plan(len(self._first_step) - 1)
            self._epochs = [planned]  # only the newest is kept: a run goes forward
            self._first_step.append(self._first_step[-1] + len(planned))
        epoch = int(np.searchsorted(self._first_step, step, side="right")) - 1
        planned = self._epochs[0] if epoch == len(self._first_step) - 2 else self._plan(epoch)
        return planned[step - self._first_step[epoch]]

    def _plan(self, epoch: int) -> list[npt.NDArray[np.int64]]:
        size = len(self._numbers)
        order = self._numbers[permute(np.arange(size), size, derive_key("pairs", self.seed, epoch))]
        batches: list[npt.NDArray[np.int64]] = []
        for start in range(0, size, _POOL_PAIRS):
            pool = order[start : start + _POOL_PAIRS]
            pool = pool[np.argsort(self._lengths[pool], kind="stable")]
            batches += _cut(pool, self._lengths[pool], self.batch_tokens)
        places = permute(np.arange(len(batches)), len(batches), derive_key("pair batches", self.seed, epoch))
        return [batches[place] for place in places.tolist()]

    def batch(self, step: int) -> PairBatch:
        """The pairs of a step."""
        return self.split.batch(self.numbers(step), begin=self.begin)

    def consecutive(self) -> Iterator[PairBatch]:
        """Every pair once, by length: what evaluation reads."""
        order = self._numbers[np.argsort(self._lengths[self._numbers], kind="stable")]
        for numbers in _cut(order, self._lengths[order], self.batch_tokens):
            yield self.split.batch(numbers, begin=self.begin)


def _cut(
    numbers: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64], batch_tokens: int
) -> list[npt.NDArray[np.int64]]:
    """Cut pairs of rising length into batches: each pair more makes every one as long as itself."""
    batches, start = [], 0
    while start < len(numbers):
        most = max(1, batch_tokens // int(lengths[start]))  # were none longer than the first
        next_ones = lengths[start : start + most]
        fitting = np.searchsorted(next_ones * np.arange(1, len(next_ones) + 1), batch_tokens, side="right")
        end = start + max(1, int(fitting))
        batches.append(numbers[start:end])
        start = end
    return batches
