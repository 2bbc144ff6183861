"""Noise on sentences: what a model that denoises has to undo.

What enters: the ids of a sentence, shares and distances, and a generator. What leaves: the sentence with tokens left
out, hidden and moved (Lample et al. 2018): so it cannot be copied, and putting it right takes knowing the language.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Noise"]

Ids = npt.NDArray[np.int64]


class Noise(NamedTuple):
    """How much noise.

    Parameters
    ----------
    drop : share of tokens left out; of a sentence at least one stays.
    blank : share of the others that are hidden.
    distance : places that a token is moved by, at most.

    Examples
    --------
    >>> Noise(0.0, 0.0, 0).of(np.array([5, 6, 7]), 0, np.random.default_rng(0)).tolist()
    [5, 6, 7]
    """

    drop: float
    blank: float
    distance: int

    def of(self, ids: Ids, hidden: int, generator: np.random.Generator) -> Ids:
        """A sentence's ids, without what ends it, made noisy; ``hidden`` stands for those that are hidden.

        Notes
        -----
        Token i is sorted by i + u, u uniform below distance + 1, which moves none by more than the distance.
        """
        if not len(ids):
            return ids
        places = np.arange(len(ids)) + generator.random(len(ids)) * (self.distance + 1)
        is_kept = generator.random(len(ids)) >= self.drop
        is_kept[generator.integers(len(ids))] = True
        is_hidden = generator.random(len(ids)) < self.blank
        order = np.argsort(places, kind="stable")
        return np.where(is_hidden, hidden, ids)[order][is_kept[order]]
