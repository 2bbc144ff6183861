"""What words become: IBM model 1 (Brown et al. 1993), by expectation and maximisation.

What enters: the cells of parallel text. What leaves: t(explained | given) for every two words that stand in some pair.
A word comes from the empty word with a fixed chance, else from any given word alike; which, is what is not known and
what the table explains better with every iteration. The likelihood never falls and has one summit, so where it begins
does not matter.

Axes: as in :mod:`textpipe.alignment.cells`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from textpipe.alignment.cells import Block, CellTable

__all__ = ["LexicalModel", "reestimated", "uniform"]

Shares = npt.NDArray[np.float64]
_LEAST = 1e-100  # what a product may still be divided by


def uniform(table: CellTable) -> Shares:
    """Every word that stands beside a given one alike."""
    return reestimated(table, np.ones(table.num_entries))


def reestimated(table: CellTable, counts_N: Shares) -> Shares:
    """Counts as shares: those of each given word sum to one."""
    sums = np.bincount(table.given_N, counts_N)
    shares_N: Shares = np.maximum(counts_N / np.maximum(sums[table.given_N], _LEAST), _LEAST)
    return shares_N


class LexicalModel:
    """IBM model 1.

    Parameters
    ----------
    null_share : chance of a word to come from the empty word; 0 and all come from given ones.
    """

    def __init__(self, table: CellTable, shares_N: Shares, *, null_share: float) -> None:
        self.table, self.shares_N, self.null_share = table, shares_N, null_share

    def posteriors(self, block: Block) -> tuple[Shares, float]:
        """For each explained word the shares (R, C) of what it came from, and the log-likelihood of the block."""
        weights_RC = self.shares_N[block.entries_RC]
        weights_RC[:, 0] *= self.null_share
        weights_RC[:, 1:] *= (1 - self.null_share) / block.num_given
        totals_R = weights_RC.sum(axis=1)
        weights_RC /= totals_R[:, None]
        return weights_RC, float(np.log(totals_R).sum())

    def improve(self) -> float:
        """One iteration; returns the log-likelihood before it, in nats."""
        counts_N, total = np.zeros(self.table.num_entries), 0.0
        for block in self.table.blocks:
            shares_RC, likelihood = self.posteriors(block)
            counts_N += np.bincount(block.entries_RC.ravel(), shares_RC.ravel(), minlength=len(counts_N))
            total += likelihood
        self.shares_N = reestimated(self.table, counts_N)
        return total
