"""How sure a score is: its interval under resampling of the examples (Efron 1979).

What enters: a score as a function of which examples are counted, and how many there are. What leaves: the score on all
of them, and the interval the middle share of resampled scores lies in. The same seed gives the same interval.

Two systems are compared on the same examples by the interval of their difference (Koehn 2004): where it does not hold
0, the better one is better beyond the chance of which examples were drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textpipe.errors import ConfigError, InputError

__all__ = ["Interval", "bootstrap_interval"]


@dataclass(frozen=True, slots=True)
class Interval:
    """A score on all examples, and the bounds of its interval, in the score's own unit.

    Where there is no interval, the bounds are None and ``why_none`` says why.
    """

    value: float
    low: float | None
    high: float | None
    confidence: float
    why_none: str = ""

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return f"{self.value:.4f} (no interval: {self.why_none})"
        return f"{self.value:.4f} [{self.low:.4f}, {self.high:.4f}]"


def bootstrap_interval(
    score: Callable[[NDArray[np.int64]], float],
    num_examples: int,
    *,
    confidence: float = 0.95,
    num_resamples: int = 1000,
    seed: int = 0,
) -> Interval:
    """The percentile interval of a score under resampling.

    Parameters
    ----------
    score : the score of the examples with these numbers (int64, from 0; one may stand there several times).
    num_examples : how many there are.
    confidence : the share of resampled scores inside the interval, between 0 and 1.
    num_resamples : how often as many examples are drawn with replacement.
    seed : of the draws.

    Raises
    ------
    InputError
        for no example, or a score of all examples that is not a finite number.
    ConfigError
        for a share outside of (0, 1), or no resample.

    Notes
    -----
    Time is ``num_resamples`` scores; memory one draw and one number a resample. A score that some resamples do not
    have, such as the correlation of one value drawn several times, has no interval: what is left would be too narrow.

    Examples
    --------
    >>> right = np.array([1, 1, 0, 1, 1, 0, 1, 1])
    >>> found = bootstrap_interval(lambda drawn: right[drawn].mean(), len(right))
    >>> found.value, found.low < 0.75 < found.high
    (0.75, True)
    """
    if num_examples < 1:
        raise InputError("a score of no example has no interval", allowed="1 example or more")
    if not 0 < confidence < 1:
        raise ConfigError(f"confidence {confidence} is no share", allowed="between 0 and 1, such as 0.95")
    if num_resamples < 1:
        raise ConfigError(f"num_resamples {num_resamples} is too small", allowed="1 or more")
    generator = np.random.default_rng(seed)
    value = float(score(np.arange(num_examples)))
    if not np.isfinite(value):
        raise InputError("the score is no finite number", allowed="examples that have one")
    drawn: NDArray[Any] = np.empty(num_resamples)
    for number in range(num_resamples):
        drawn[number] = score(generator.integers(0, num_examples, num_examples))
    without = num_resamples - int(np.isfinite(drawn).sum())
    if without:
        why = f"{without} of {num_resamples} resamples of {num_examples} examples have no score"
        return Interval(value, None, None, confidence, why)
    outside = 50 * (1 - confidence)
    low, high = np.percentile(drawn, [outside, 100 - outside])
    return Interval(value, float(low), float(high), confidence)
