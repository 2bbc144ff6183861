"""What is watched over the steps of a run: speed, losses that jump, validations that gain nothing.

What enters: numbers as they come. What leaves: a rate, and the moment to stop. What decides about stopping is kept in
checkpoints, so a resumed run stops where one never stopped would.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["LossWatch", "Patience", "Stopwatch", "rank_of"]

_MEASURES = ("val_accuracy", "val_spearman", "val_entity_f1", "val_answer_f1", "val_round_trip")

_MEMORY = 0.98  # of the mean of losses: about the last fifty


class Stopwatch:
    """Targets a second of the steps themselves since last asked, without validation, samples and saving."""

    def __init__(self) -> None:
        self._targets, self._seconds = 0, 0.0
        self.latest = math.nan

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        begin = time.perf_counter()
        yield
        self._seconds += time.perf_counter() - begin

    def count(self, targets: int) -> None:
        self._targets += targets

    def tokens_per_s(self) -> float:
        self.latest = round(self._targets / max(self._seconds, 1e-9), 1)
        self._targets, self._seconds = 0, 0.0
        return self.latest


class LossWatch:
    """Tells a loss that jumped: more than ``max_rise`` nats above the mean of the last ones.

    The loss of few targets strays: of a quarter as many as usual by twice as much, as means do. What is left over from
    an epoch makes batches of a few pairs, the longest of all.
    """

    def __init__(self, max_rise: float, state: Mapping[str, Any] | None = None) -> None:
        self.max_rise = max_rise
        self.mean: float | None = None if state is None else state.get("loss_mean")
        self._usual: float | None = None if state is None else state.get("targets_mean")

    def has_jumped(self, loss: float, num_targets: int) -> bool:
        """Whether this loss of so many targets is a jump; one that is not is taken into the mean."""
        usual = num_targets if self._usual is None else self._usual
        if self.mean is not None and loss > self.mean + self.max_rise * math.sqrt(max(1.0, usual / num_targets)):
            return True
        self.mean = loss if self.mean is None else _MEMORY * self.mean + (1 - _MEMORY) * loss
        self._usual = _MEMORY * usual + (1 - _MEMORY) * num_targets
        return False

    def state(self) -> dict[str, Any]:
        return {"loss_mean": self.mean, "targets_mean": self._usual}


def rank_of(scores: Mapping[str, Any]) -> float | None:
    """What checkpoints are compared by, less being better: a task's own measure where it has one, else the loss.

    >>> rank_of({"val_loss": 0.7, "val_accuracy": 0.85}), rank_of({"val_loss": 0.7}), rank_of({})
    (-0.85, 0.7, None)
    """
    found = next((name for name in _MEASURES if name in scores), "val_loss")
    value = scores.get(found)
    if not isinstance(value, int | float):
        return None
    return float(value) if found == "val_loss" else -float(value)


class Patience:
    """Tells when ``limit`` validations in a row have brought nothing better; 0 never."""

    def __init__(self, limit: int, state: Mapping[str, Any] | None = None) -> None:
        self.limit = limit
        self.best: float | None = None if state is None else state.get("best")
        self.waited: int = 0 if state is None else int(state.get("validations_without_gain", 0))

    def note(self, rank: float | None) -> None:
        """Take in one validation, by what :func:`rank_of` makes of it."""
        if rank is None:
            return
        if self.best is None or rank < self.best:
            self.best, self.waited = rank, 0
        else:
            self.waited += 1

    @property
    def is_over(self) -> bool:
        return 0 < self.limit <= self.waited

    def state(self) -> dict[str, Any]:
        return {"best": self.best, "validations_without_gain": self.waited}
