"""The optimiser: AdamW, or Muon with AdamW beside it; its parameter groups, and its state as named tensors.

What enters: a model and the settings. What leaves: one optimiser whose state can be written and read as a flat mapping
from names to tensors, which is what a safetensors file holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from textpipe.errors import StateError
from textpipe.nn.blocks import block_matrices
from textpipe.training.distributed.parallel import by_mesh

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from textpipe.training.run_config import TrainConfig

__all__ = ["Optimizer"]


class Optimizer:
    """What moves the weights of a model.

    Matrices and embeddings decay, biases and norms do not. With ``muon`` the matrices of blocks are moved along an
    orthogonalised gradient (Jordan 2024), scaled so that AdamW's learning rate and decay serve both (Liu et al. 2025);
    embeddings, heads, poolers, biases and norms stay with AdamW.
    """

    def __init__(self, model: nn.Module, config: TrainConfig) -> None:
        self._weights = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
        self._parts: list[torch.optim.Optimizer] = []
        rest = dict(self._weights)
        if config.optimizer == "muon":
            of_blocks = {id(weight) for weight in block_matrices(model)}
            inner = {name: weight for name, weight in self._weights.items() if id(weight) in of_blocks}
            rest = {name: weight for name, weight in rest.items() if name not in inner}
            self._parts.append(
                torch.optim.Muon(
                    list(inner.values()),
                    lr=config.learning_rate,
                    weight_decay=config.weight_decay,
                    adjust_lr_fn="match_rms_adamw",
                )
            )
        self._parts.append(_adamw(rest, config))

    def set_rate(self, rate: float) -> None:
        """The learning rate of the next step."""
        for part in self._parts:
            for group in part.param_groups:
                group["lr"] = rate

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for part in self._parts:
            part.zero_grad(set_to_none=True)

    @property
    def parts(self) -> tuple[torch.optim.Optimizer, ...]:
        """torch's optimisers, each of which has to step."""
        return tuple(self._parts)

    def state(self) -> dict[str, torch.Tensor]:
        """The memory as ``{"parameter name/entry": tensor}``."""
        names = {id(weight): name for name, weight in self._weights.items()}
        return {
            f"{names[id(weight)]}/{entry}": value.detach()
            for part in self._parts
            for weight, entries in part.state.items()
            for entry, value in entries.items()
        }

    def blank_state(self) -> dict[str, torch.Tensor]:
        """AdamW's memory of every parameter, of the parameters' kinds, to be read into; without the step counts."""
        return {
            f"{name}/{entry}": torch.zeros_like(weight, requires_grad=False)
            for name, weight in self._weights.items()
            for entry in ("exp_avg", "exp_avg_sq")
        }

    def load_state(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """Take over the memory :meth:`state` gave of an optimiser of the same model.

        Raises
        ------
        StateError
            when an entry is of a parameter the model does not have, of another shape, or of another optimiser.
        """
        homes: dict[int, Any] = {
            id(weight): part for part in self._parts for group in part.param_groups for weight in group["params"]
        }
        for key, saved in tensors.items():
            name, _, entry = key.rpartition("/")
            weight = self._weights.get(name)
            value = saved.reshape(()) if entry == "step" else saved  # ranks that save together give it an axis
            if weight is None or (value.dim() > 0 and value.shape != weight.shape):
                raise StateError(f"the optimiser's {key} of shape {tuple(value.shape)} belongs to another model")
            if (entry == "momentum_buffer") != isinstance(homes[id(weight)], torch.optim.Muon):
                raise StateError(
                    f"the optimiser's {key} is of another optimiser than the one that moves {name} now",
                    hint="finish this run with the release it was begun with, or begin a new one with --init-from it",
                )
            # a fused optimiser keeps even its step count where the weight is
            homes[id(weight)].state[weight][entry] = value.to(weight.device)


def _adamw(weights: Mapping[str, torch.Tensor], config: TrainConfig) -> torch.optim.AdamW:
    wide = [weight for weight in weights.values() if weight.dim() >= 2]
    rest = [weight for weight in weights.values() if weight.dim() < 2]
    return torch.optim.AdamW(
        [
            {"params": group, "weight_decay": decay}
            for kind, decay in ((wide, config.weight_decay), (rest, 0.0))
            for group in by_mesh(kind).values()
        ],
        lr=config.learning_rate,
        betas=(config.beta1, config.beta2),
        eps=config.epsilon,
        fused=True,  # one pass over each tensor instead of a dozen
    )
