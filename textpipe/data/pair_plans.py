"""Which pairs each step of a run reads: a function of (seed, step).

What enters: the lengths of pairs. What leaves: batches of pairs of about one length, as many as fit ``batch_tokens`` of
the longer side, padding counted. Lengths are rounded up to a few classes, and pairs stand by class; where batches begin
and end follows from the lengths alone, so every epoch has the same number of them and any step's is found at once. By
keys of (seed, epoch) pairs are shuffled within their class and batches among each other: a step's batch depends on
nothing but (seed, step), and a run resumes exactly.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from textpipe.data.permutation import derive_key, permute
from textpipe.errors import ConfigError, InputError

if TYPE_CHECKING:
    from textpipe.data.pairs import PairBatch

__all__ = ["PairPlan", "Pairs"]

_CLASS_BITS = (
    4  # lengths are told apart by so many binary digits: up to 16 exactly, and from there to an eighth at most
)


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
    Pairs are sorted once, about 2 s for ten million; a step's are then found in time that grows with the batch alone.
    Each batch is full, as the next pair would not have fitted, but for the last two: they share what is left over.
    """

    def __init__(self, split: Pairs, *, batch_tokens: int, context: int, seed: int, begin: int) -> None:
        if batch_tokens < context:
            raise ConfigError(
                f"batch_tokens {batch_tokens} is less than one pair of {context} tokens", allowed=f"{context}"
            )
        self.split, self.batch_tokens, self.seed, self.begin = split, batch_tokens, seed, begin
        lengths = split.lengths()
        fitting = np.flatnonzero(lengths <= context)
        self.num_too_long = split.num_pairs - len(fitting)
        if not len(fitting):
            raise InputError(f"all {split.num_pairs} pairs are longer than {context} tokens", hint="raise the context")
        short = lengths[fitting].astype(np.min_scalar_type(context))  # up to 16 bits are sorted in linear time
        self._sorted = fitting[np.argsort(short, kind="stable")]
        by_length = lengths[self._sorted]
        begins = np.flatnonzero(np.diff(_rounded(by_length), prepend=-1))
        self._classes = np.append(begins, len(by_length))
        longest = np.repeat(by_length[self._classes[1:] - 1], np.diff(self._classes))
        self._epoch = _balanced(_cut(longest, batch_tokens), longest, batch_tokens)

    @property
    def steps_per_epoch(self) -> int:
        """How many steps read every pair once."""
        return len(self._epoch) - 1

    def numbers(self, step: int) -> npt.NDArray[np.int64]:
        """The numbers of the pairs of a step."""
        epoch, place = divmod(step, self.steps_per_epoch)
        key = derive_key("pair batches", self.seed, epoch)
        (chosen,) = permute(np.array([place]), self.steps_per_epoch, key)
        start, end = self._epoch[chosen : chosen + 2].tolist()
        first = int(np.searchsorted(self._classes, start, side="right")) - 1
        found = []
        while start < end:
            begins, ends = self._classes[first : first + 2].tolist()
            places = np.arange(start, min(end, ends)) - begins
            places = permute(places, ends - begins, derive_key("pairs", self.seed, epoch, first))
            found.append(self._sorted[begins + places])
            start, first = ends, first + 1
        return np.concatenate(found)

    def batch(self, step: int) -> PairBatch:
        """The pairs of a step."""
        return self.split.batch(self.numbers(step), begin=self.begin)

    def consecutive(self) -> Iterator[PairBatch]:
        """Every pair once, by length: what evaluation reads."""
        bounds = _cut(self.split.lengths()[self._sorted], self.batch_tokens)
        for start, end in pairwise(bounds.tolist()):
            yield self.split.batch(self._sorted[start:end], begin=self.begin)


def _rounded(lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Lengths rounded up to their first ``_CLASS_BITS`` binary digits."""
    _, digits = np.frexp(np.maximum(lengths - 1, 0))
    steps = 1 << np.maximum(digits - _CLASS_BITS, 0).astype(np.int64)
    rounded: npt.NDArray[np.int64] = -(-lengths // steps) * steps
    return rounded


def _cut(lengths: npt.NDArray[np.int64], batch_tokens: int) -> npt.NDArray[np.int64]:
    """Where batches of pairs of rising length begin and end: each pair more makes every one as long as itself."""
    bounds = [0]
    while (start := bounds[-1]) < len(lengths):
        most = max(1, batch_tokens // int(lengths[start]))  # were none longer than the first
        next_ones = lengths[start : start + most]
        fitting = np.searchsorted(next_ones * np.arange(1, len(next_ones) + 1), batch_tokens, side="right")
        bounds.append(start + max(1, int(fitting)))
    return np.array(bounds)


def _balanced(
    bounds: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64], batch_tokens: int
) -> npt.NDArray[np.int64]:
    """The same, but the last two batches are cut where the smaller of them holds most."""
    if len(bounds) < 3:
        return bounds
    before, end = int(bounds[-3]), int(bounds[-1])
    fitting = max(1, batch_tokens // int(lengths[-1]))
    cuts = np.arange(max(before + 1, end - fitting), bounds[-2] + 1)
    smaller = np.minimum((cuts - before) * lengths[cuts - 1], (end - cuts) * lengths[-1])
    return np.array([*bounds[:-2], cuts[np.argmax(smaller)], end])
