"""Means of weights: a running one while training, and one of several checkpoints.

What enters: a model after each step, or checkpoints. What leaves: weights that generalise better than the last ones
(Polyak, Juditsky 1992; Vaswani et al. 2017 average their last five checkpoints).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import torch

from textpipe.errors import InputError

if TYPE_CHECKING:
    from torch import nn

__all__ = ["RunningMean", "mean_weights"]


class RunningMean:
    """An exponential mean of a model's weights: after step n, mean ← mean + (1 − d) · (weights − mean).

    The memory d grows from 0 to ``decay`` over the first steps, (1 + n) / (10 + n), so that the first weights, drawn at
    random, do not linger.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.weights = {name: weight.detach().clone() for name, weight in model.named_parameters()}

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Take in the weights after ``step``, counted from 1."""
        memory = min(self.decay, (1 + step) / (10 + step))
        for name, weight in model.named_parameters():
            self.weights[name].lerp_(weight, 1 - memory)

    def load(self, weights: Mapping[str, torch.Tensor]) -> None:
        """Go on from a saved mean."""
        for name, mean in self.weights.items():
            mean.copy_(weights[name])

    @contextlib.contextmanager
    def in_place(self, model: nn.Module) -> Iterator[None]:
        """The model with the mean for its weights, while the context lasts."""
        own = {name: weight.detach().clone() for name, weight in model.named_parameters()}
        self._give(model, self.weights)
        try:
            yield
        finally:
            self._give(model, own)

    @staticmethod
    @torch.no_grad()
    def _give(model: nn.Module, weights: Mapping[str, torch.Tensor]) -> None:
        for name, weight in model.named_parameters():
            weight.copy_(weights[name])


def mean_weights(states: Sequence[Mapping[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """The mean of several models' weights, summed in float64.

    Raises
    ------
    InputError
        when there is none, or they are of models of different shapes.
    """
    if not states:
        raise InputError("no weights to average")
    first = {name: tensor.shape for name, tensor in states[0].items()}
    for state in states[1:]:
        if {name: tensor.shape for name, tensor in state.items()} != first:
            raise InputError("the weights to average are of models of different shapes")
    return {
        name: (sum(state[name].double() for state in states) / len(states)).to(states[0][name].dtype)  # type: ignore[union-attr]
        for name in first
    }
