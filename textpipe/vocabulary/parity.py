"""Shares under which a token stands for as many bytes in every corpus.

What enters: the counts of each corpus, some text of each, and what trains a vocabulary. What leaves: shares, and what
they came to. Promises: the same shares for the same inputs, also where the rounds were interrupted; at most twelve
trainings, and fewer as soon as the bytes a token of all corpora are within two parts in a hundred; of all rounds the
one that came nearest counts.

Bytes a token go up slowly with the share: each round takes the logarithm of the one to grow as it did between the last
two rounds with that of the other (at first by a fifth), and goes to where all corpora would meet. Of real Korean and
English text five rounds come within a hundredth.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from textpipe.core._word_counts import WordCounts
from textpipe.errors import InputError
from textpipe.tokenizer import Tokenizer
from textpipe.trainers import TrainingState
from textpipe.trainers.counting import Progress
from textpipe.vocabulary.corpora import weigh

__all__ = ["TOLERANCE", "ParityRound", "find_parity"]

TOLERANCE = Fraction(102, 100)
"""Of the most to the fewest bytes a token: near enough to stop."""

_ROUNDS = 12
_MOST_CHANGE = math.log(8)  # of a share in one round
_FIRST_SLOPE, _LEAST_SLOPE, _MOST_SLOPE = 0.2, 0.02, 1.0
_GRAIN = 1_000_000  # shares are whole parts of this
_BISECTIONS = 60


@dataclass(frozen=True)
class ParityRound:
    """Shares of the corpora, by name, and the bytes a token that a vocabulary learned under them has."""

    shares: Mapping[str, Fraction]
    bytes_per_token: Mapping[str, Fraction]

    @property
    def gap(self) -> Fraction:
        """The most bytes a token to the fewest."""
        return max(self.bytes_per_token.values()) / min(self.bytes_per_token.values())

    def figures(self) -> dict[str, Any]:
        """What a card says of it."""
        return {
            "tolerance": float(TOLERANCE - 1),
            "gap": float(self.gap - 1),
            "shares": {name: float(share) for name, share in self.shares.items()},
            "bytes_per_token": {name: float(fit) for name, fit in self.bytes_per_token.items()},
        }


def find_parity(
    counts: Mapping[str, WordCounts],
    texts: Mapping[str, Sequence[str]],
    train: Callable[[WordCounts, int], Tokenizer],
    *,
    progress: Progress | None = None,
    state: TrainingState | None = None,
) -> ParityRound:
    """The round that came nearest to parity.

    Parameters
    ----------
    counts, texts : of each corpus.
    train : makes a tokenizer of weighted counts, given the number of the round too.
    state : saved after each round; where one was saved, the rounds go on from there.

    Raises
    ------
    InputError
        when a corpus has no text to measure on.
    """
    for name, sample in texts.items():
        if not any(sample):
            raise InputError(
                f"parity is measured on text, and {name or 'an input'} has none", hint="give its texts too"
            )
    rounds = _saved(state)
    while (shares := _next(rounds, list(counts))) is not None:
        number = len(rounds) + 1
        if progress is not None:
            progress("parity", number, _ROUNDS, unit="trainings")
        tokenizer = train(weigh(list(counts.values()), [shares[name] for name in counts], keep=True), number)
        fits = {name: _bytes_per_token(tokenizer, sample) for name, sample in texts.items()}
        rounds.append(ParityRound(shares, fits))
        if state is not None:
            _save(state, rounds)
    return min(rounds, key=lambda each: each.gap)


def _bytes_per_token(tokenizer: Tokenizer, texts: Iterable[str]) -> Fraction:
    listed = list(texts)
    ids, _ = tokenizer.encode_to_numpy(listed, add_special_tokens=False)
    return Fraction(sum(len(text.encode()) for text in listed), max(len(ids), 1))


# ---- from round to round


def _next(rounds: Sequence[ParityRound], names: Sequence[str]) -> dict[str, Fraction] | None:
    """The shares to try next; None when that is over."""
    if not rounds:
        return dict.fromkeys(names, Fraction(1, len(names)))
    last = rounds[-1]
    if last.gap <= TOLERANCE or len(rounds) == _ROUNDS:
        return None
    fits = {name: math.log(last.bytes_per_token[name]) for name in names}
    slopes = {name: _slope(rounds, name) for name in names}

    def shares_at(middle: float) -> dict[str, float]:
        """What brings each corpus to the same bytes a token, or nearer."""
        steps = {name: (middle - fits[name]) / slopes[name] for name in names}
        return {n: float(last.shares[n]) * math.exp(min(max(s, -_MOST_CHANGE), _MOST_CHANGE)) for n, s in steps.items()}

    low, high = min(fits.values()), max(fits.values())
    for _ in range(_BISECTIONS):  # the middle at which the shares are one whole
        middle = (low + high) / 2
        low, high = (low, middle) if sum(shares_at(middle).values()) > 1 else (middle, high)
    wanted = shares_at(low)
    parts = {name: max(1, round(share / sum(wanted.values()) * _GRAIN)) for name, share in wanted.items()}
    shares = {name: Fraction(part, sum(parts.values())) for name, part in parts.items()}
    return None if any(shares == earlier.shares for earlier in rounds) else shares


def _slope(rounds: Sequence[ParityRound], name: str) -> float:
    """How the logarithm of the bytes a token grows with that of the share."""
    slope = _FIRST_SLOPE
    for before, after in itertools.pairwise(rounds):
        by_share = math.log(after.shares[name] / before.shares[name])
        if abs(by_share) > 1e-3:  # a smaller step tells nothing; what was known then stays
            by_fit = math.log(after.bytes_per_token[name] / before.bytes_per_token[name])
            slope = min(max(by_fit / by_share, _LEAST_SLOPE), _MOST_SLOPE)
    return slope


# ---- on the disk


def _save(state: TrainingState, rounds: Iterable[ParityRound]) -> None:
    rows = [[_written(each.shares), _written(each.bytes_per_token)] for each in rounds]
    state.begin()
    state.write(json.dumps(rows).encode())
    state.end()


def _saved(state: TrainingState | None) -> list[ParityRound]:
    if state is None or not state.open():
        return []
    content = b""
    while part := state.read(1 << 20):
        content += part
    return [ParityRound(_as_written(shares), _as_written(fits)) for shares, fits in json.loads(content)]


def _written(row: Mapping[str, Fraction]) -> dict[str, str]:
    return {name: str(value) for name, value in row.items()}


def _as_written(row: Mapping[str, str]) -> dict[str, Fraction]:
    return {name: Fraction(value) for name, value in row.items()}
