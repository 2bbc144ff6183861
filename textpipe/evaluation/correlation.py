"""How well predicted numbers go with true ones: Pearson's and Spearman's correlation.

What enters: two numbers an example, such as the similarity of two sentences as judged and as predicted. What leaves:
both coefficients, between -1 and 1, with their intervals. Equal numbers share the mean of their ranks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textpipe.errors import InputError
from textpipe.evaluation.bootstrap import Interval, bootstrap_interval
from textpipe.evaluation.labels import check_same_length

__all__ = ["CorrelationScores", "pearson", "score_correlation", "spearman"]


@dataclass(frozen=True, slots=True)
class CorrelationScores:
    """Both coefficients, between -1 and 1."""

    num_examples: int
    pearson: Interval
    spearman: Interval


def pearson(true_N: NDArray[np.float64], predicted_N: NDArray[np.float64]) -> float:
    """Pearson's coefficient; not a number where one side is constant.

    >>> round(pearson(np.array([0.0, 1.0, 3.0]), np.array([1.0, 3.0, 7.0])), 12)
    1.0
    """
    if (true_N == true_N[0]).all() or (predicted_N == predicted_N[0]).all():
        return float("nan")
    one, other = true_N - true_N.mean(), predicted_N - predicted_N.mean()
    norm = np.linalg.norm(one) * np.linalg.norm(other)
    # Rounding may carry a perfect correlation past the end of the scale.
    return float(np.clip(one @ other / norm, -1.0, 1.0))


def spearman(true_N: NDArray[np.float64], predicted_N: NDArray[np.float64]) -> float:
    """Spearman's coefficient: Pearson's of the ranks.

    >>> round(spearman(np.array([0.0, 1.0, 3.0]), np.array([1.0, 5.0, 6.0])), 12)
    1.0
    """
    return pearson(_ranks(true_N), _ranks(predicted_N))


def _ranks(values_N: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks from 1; equal values share the mean of theirs."""
    _, group_N, sizes_G = np.unique(values_N, return_inverse=True, return_counts=True)
    ends_G = np.cumsum(sizes_G)
    means_G: NDArray[np.float64] = ends_G - (sizes_G - 1) / 2
    return means_G[group_N]


def score_correlation(
    true: Sequence[float], predicted: Sequence[float], *, num_resamples: int = 1000, seed: int = 0
) -> CorrelationScores:
    """Correlate predicted numbers with the true ones.

    Parameters
    ----------
    true, predicted : one finite number an example, in the same order.
    num_resamples, seed : of the bootstrap, see :func:`~textpipe.evaluation.bootstrap.bootstrap_interval`.

    Raises
    ------
    InputError
        for different numbers of numbers, fewer than two, one that is not finite, or a side that is constant.

    Examples
    --------
    >>> found = score_correlation([0.0, 1.5, 2.5, 4.0, 5.0] * 4, [0.1, 0.4, 0.3, 0.8, 0.9] * 4)
    >>> round(found.spearman.value, 4)
    0.9
    """
    check_same_length(true, predicted, "numbers")
    sides = tuple(np.asarray(side, dtype=np.float64) for side in (true, predicted))
    for name, side_N in zip(("true", "predicted"), sides, strict=True):
        if not np.isfinite(side_N).all():
            raise InputError(
                f"a {name} number is not finite", where=f"example {int(np.flatnonzero(~np.isfinite(side_N))[0]) + 1}"
            )
        if (side_N == side_N[0]).all():
            raise InputError(
                f"all {name} numbers are {side_N[0]:g}: what never varies goes with nothing",
                allowed="two different numbers or more",
            )
    true_N, predicted_N = sides

    def interval(coefficient: Callable[[NDArray[np.float64], NDArray[np.float64]], float]) -> Interval:
        def score(drawn: NDArray[np.int64]) -> float:
            return coefficient(true_N[drawn], predicted_N[drawn])

        return bootstrap_interval(score, len(true_N), num_resamples=num_resamples, seed=seed)

    return CorrelationScores(len(true_N), interval(pearson), interval(spearman))
