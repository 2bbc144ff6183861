"""Alignments by the definition: every way to align two short texts, one after the other."""

from __future__ import annotations

import itertools
import math

import pytest


class Enumerated:
    """Sums over all ways to align, for texts so short that there are few.

    ``become`` is {(given, explained): chance}; the empty word is "". ``jump`` maps a jump to its weight, None for model
    1, in which places do not follow each other.
    """

    def __init__(self, become, null_share, jump=None):
        self.become, self.null_share, self.jump = become, null_share, jump

    def chance(self, given, explained, way):
        """Of the explained words together with one way to align them; 0 is the empty word."""
        product, at = 1.0, -1
        for word, origin in zip(explained, way, strict=True):
            if origin == 0:
                product *= self.null_share * self.become["", word]
                continue
            product *= (1 - self.null_share) * self.become[given[origin - 1], word] * self._step(len(given), at, origin)
            at = origin - 1
        return product

    def _step(self, length, at, origin):
        if self.jump is None:
            return 1 / length
        weights = [self.jump(place - at) for place in range(length)]
        return weights[origin - 1] / sum(weights)

    def posteriors(self, given, explained):
        """For each explained word the shares of what it came from, the log-likelihood, and the steps taken."""
        ways = list(itertools.product(range(len(given) + 1), repeat=len(explained)))
        chances = [self.chance(given, explained, way) for way in ways]
        total = sum(chances)
        shares = [[0.0] * (len(given) + 1) for _ in explained]
        steps = {}
        for way, chance in zip(ways, chances, strict=True):
            at = -1
            for place, origin in enumerate(way):
                shares[place][origin] += chance / total
                if origin:
                    steps[at, origin - 1] = steps.get((at, origin - 1), 0.0) + chance / total
                    at = origin - 1
        return shares, math.log(total), steps

    def improved(self, pairs):
        """The next table of what words become, and of jumps as {jump: expected number}."""
        counts, jumps = {}, {}
        for given, explained in pairs:
            shares, _, steps = self.posteriors(given, explained)
            for word, row in zip(explained, shares, strict=True):
                for origin, share in zip(["", *given], row, strict=True):
                    counts[origin, word] = counts.get((origin, word), 0.0) + share
            for (at, place), share in steps.items():
                jumps[place - at] = jumps.get(place - at, 0.0) + share
        sums = {}
        for (origin, _), count in counts.items():
            sums[origin] = sums.get(origin, 0.0) + count
        return {key: count / sums[key[0]] for key, count in counts.items() if sums[key[0]]}, jumps


@pytest.fixture(scope="session")
def enumerated():
    return Enumerated
