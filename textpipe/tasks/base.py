"""What the training loop asks of a task, and what all tasks check of their data.

What enters: a model's shape, data and the training's settings. What leaves: batches, losses and scores. The loop itself
knows neither what a batch holds nor what its loss means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol, Self

import torch
from torch import nn

from textpipe.errors import ConfigError

__all__ = ["Task", "TaskBatch", "require_alike", "summed_loss"]


class TaskBatch(Protocol):
    """What a step reads; ``samples`` name its sequences in a message."""

    @property
    def samples(self) -> tuple[int, ...]: ...
    @property
    def num_targets(self) -> int: ...
    def split(self, size: int) -> Iterator[Self]: ...
    def to(self, device: torch.device | str) -> Self: ...


class Task(Protocol):
    """One thing to train for, on one corpus."""

    @property
    def tokenizer_files(self) -> Mapping[str, bytes]:
        """Files that every checkpoint carries, by the names they have there."""
        ...

    def new_model(self, seed: int) -> nn.Module:
        """The model with its first weights."""
        ...

    def batch(self, step: int) -> TaskBatch:
        """What step ``step`` (from 0) reads: a pure function of the seed and the step."""
        ...

    def loss(self, model: Any, batch: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """Summed loss and the number of targets it was summed over."""
        ...

    def validate(self, model: Any, dtype: torch.dtype) -> dict[str, float | None]:
        """Scores on the whole validation split, ``val_loss`` (nats a target) among them."""
        ...

    def baseline(self) -> dict[str, float | None]:
        """Facts of the data that scores are held against, for the first line of the log."""
        ...

    def samples(self, model: Any) -> list[dict[str, str]]:
        """What the model writes by now."""
        ...


@torch.no_grad()
def summed_loss(
    loss: Callable[[Any], tuple[torch.Tensor, torch.Tensor]],
    batches: Iterable[TaskBatch],
    device: torch.device,
    dtype: torch.dtype = torch.float32,
) -> tuple[float, int]:
    """The loss summed over batches, and the number of targets it was summed over; matrix products are of ``dtype``."""
    total, count = 0.0, 0
    for batch in batches:
        with torch.autocast(device.type, dtype=dtype, enabled=dtype != torch.float32):
            nats, targets = loss(batch.to(device))
        total, count = total + nats.item(), count + int(targets)
    return total, count


def require_alike(model: Any, data: Any, *names: str) -> None:
    """Refuse a model's shape that differs from its data in one of these settings.

    Raises
    ------
    ConfigError
        with the setting, and what it is on both sides.
    """
    for name in names:
        ours, theirs = getattr(model, name), getattr(data, name)
        if ours != theirs:
            raise ConfigError(f"the model has {ours} and the data {theirs}", where=name)
