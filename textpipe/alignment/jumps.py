"""Alignment as a walk: where a word came from follows from where the word before it came from.

What enters: the cells of parallel text and a first table of what words become. What leaves: a better table, and the
chances of jumps over given words (Vogel, Ney, Tillmann 1996), by expectation and maximisation with the forward and
backward sums of a hidden Markov model (Baum et al. 1970). A word from the empty word leaves the walk where it is (Och,
Ney 2003). So words of a phrase stay together, which model 1 does not know of.

Axes: as in :mod:`textpipe.alignment.cells`; P pair of a block, I last place of the walk: before the text, then its
words; J place it goes to.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from textpipe.alignment.cells import Block, CellTable
from textpipe.alignment.lexical import Shares, reestimated

__all__ = ["JumpModel"]


class JumpModel:
    """A hidden Markov model of alignment.

    Parameters
    ----------
    shares_N : of what words become, as model 1 has them.
    null_share : chance of a word to come from the empty word.

    Attributes
    ----------
    jumps : chances of jumps by -longest … longest places, up to a factor.
    """

    def __init__(self, table: CellTable, shares_N: Shares, *, null_share: float) -> None:
        self.table, self.shares_N, self.null_share = table, shares_N, null_share
        self.longest = max((block.num_given for block in table.blocks), default=1)
        self.jumps: Shares = np.ones(2 * self.longest + 1)

    def steps_IJ(self, length: int) -> Shares:
        """The chance to go from each place of a given text to each other; before the first word is place -1."""
        places_IJ = self._distances(length)
        weights_IJ = self.jumps[places_IJ]
        shares_IJ: Shares = weights_IJ / weights_IJ.sum(axis=1, keepdims=True)
        return shares_IJ

    def _distances(self, length: int) -> npt.NDArray[np.int64]:
        """Where in the table of jumps each step of a given text stands."""
        return np.arange(length)[None, :] - np.arange(-1, length)[:, None] + self.longest

    def posteriors(self, block: Block) -> tuple[Shares, float]:
        """For each explained word the shares (R, C) of what it came from, and the log-likelihood of the block."""
        shares_RC, likelihood, _ = self._walked(block)
        return shares_RC, likelihood

    def improve(self) -> float:
        """One iteration; returns the log-likelihood before it, in nats."""
        counts_N, total = np.zeros(self.table.num_entries), 0.0
        jumps = np.ones_like(self.jumps)  # each was seen once before, so none is impossible
        for block in self.table.blocks:
            shares_RC, likelihood, steps_IJ = self._walked(block)
            counts_N += np.bincount(block.entries_RC.ravel(), shares_RC.ravel(), minlength=len(counts_N))
            distances = self._distances(block.num_given)
            jumps += np.bincount(distances.ravel(), steps_IJ.ravel(), minlength=len(jumps))
            total += likelihood
        self.shares_N, self.jumps = reestimated(self.table, counts_N), jumps
        return total

    def _walked(self, block: Block) -> tuple[Shares, float, Shares]:
        """Forward and backward over the steps of all pairs at once; also the expected number of each step (I, J)."""
        emitted_RC = self.shares_N[block.entries_RC]
        emitted_RC[:, 0] *= self.null_share
        emitted_RC[:, 1:] *= 1 - self.null_share
        moves_IJ = self.steps_IJ(block.num_given)
        places, scales = self._forward(block, emitted_RC, moves_IJ)
        taken_IJ = np.zeros_like(moves_IJ)
        shares_RC = np.empty_like(emitted_RC)
        after_PI = np.ones((0, block.num_given + 1))  # what the steps after explain, by the place before them
        for step in range(len(block.firsts) - 2, -1, -1):
            rows = slice(block.firsts[step], block.firsts[step + 1])
            before_PI, emitted_PC, scale_P1 = places[step], emitted_RC[rows], scales[step][:, None]
            ahead_PI = np.ones_like(before_PI)
            ahead_PI[: len(after_PI)] = after_PI
            to_PJ = emitted_PC[:, 1:] * ahead_PI[:, 1:] / scale_P1
            stays_PI = emitted_PC[:, :1] * ahead_PI / scale_P1
            shares_RC[rows, 0] = (before_PI * stays_PI).sum(axis=1)
            shares_RC[rows, 1:] = (before_PI @ moves_IJ) * to_PJ
            taken_IJ += before_PI.T @ to_PJ
            after_PI = to_PJ @ moves_IJ.T + stays_PI
        likelihood = sum(float(np.log(scale_P).sum()) for scale_P in scales)
        return shares_RC, likelihood, taken_IJ * moves_IJ

    @staticmethod
    def _forward(block: Block, emitted_RC: Shares, moves_IJ: Shares) -> tuple[list[Shares], list[Shares]]:
        """Before each step the shares (P, I) of the places the walk may be at, and what the step explains."""
        places, scales = [], []
        at_PI = np.zeros((block.firsts[1], block.num_given + 1))
        at_PI[:, 0] = 1.0
        for first, end in zip(block.firsts, block.firsts[1:], strict=False):
            at_PI = at_PI[: end - first]  # the shorter texts come to their ends
            emitted_PC = emitted_RC[first:end]
            places.append(at_PI)
            at_PI = at_PI * emitted_PC[:, :1]
            at_PI[:, 1:] += (places[-1] @ moves_IJ) * emitted_PC[:, 1:]
            scale_P = at_PI.sum(axis=1)
            scales.append(scale_P)
            at_PI = at_PI / scale_P[:, None]
        return places, scales
