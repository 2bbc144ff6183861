"""AdamW, its parameter groups, and its state as named tensors.

What enters: a model and the settings. What leaves: an optimiser whose state can be written and read as a flat mapping
from names to tensors, which is what a safetensors file holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from textpipe.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from textpipe.training.run_config import TrainConfig

__all__ = ["load_optimizer_state", "make_adamw", "optimizer_state"]


def make_adamw(model: nn.Module, config: TrainConfig) -> torch.optim.AdamW:
    """AdamW over a model: matrices and embeddings decay, biases and norms do not."""
    trained = [(name, weight) for name, weight in model.named_parameters() if weight.requires_grad]
    groups = [
        {"params": [weight for _, weight in trained if weight.dim() >= 2], "weight_decay": config.weight_decay},
        {"params": [weight for _, weight in trained if weight.dim() < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        [group for group in groups if group["params"]],
        lr=config.learning_rate,
        betas=(config.beta1, config.beta2),
        eps=config.epsilon,
        fused=True,  # one pass over each tensor instead of a dozen
    )


def optimizer_state(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """The optimiser's memory as ``{"parameter name/entry": tensor}``."""
    names = {id(weight): name for name, weight in model.named_parameters()}
    return {
        f"{names[id(weight)]}/{entry}": value.detach()
        for weight, entries in optimizer.state.items()
        for entry, value in entries.items()
    }


def load_optimizer_state(
    model: nn.Module, optimizer: torch.optim.Optimizer, tensors: Mapping[str, torch.Tensor]
) -> None:
    """Give an optimiser the memory :func:`optimizer_state` took from another of the same model.

    Raises
    ------
    StateError
        when an entry is of a parameter the model does not have, or of another shape.
    """
    weights = dict(model.named_parameters())
    for key, value in tensors.items():
        name, _, entry = key.rpartition("/")
        weight = weights.get(name)
        if weight is None or (value.dim() > 0 and value.shape != weight.shape):
            raise StateError(f"the optimiser's {key} of shape {tuple(value.shape)} belongs to another model")
        optimizer.state[weight][entry] = value.to(weight.device)  # a fused optimiser keeps even its step count there
