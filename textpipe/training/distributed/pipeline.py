"""A GPT cut into stages, one on each rank, that micro-batches pass one behind the other (1F1B, Narayanan et al. 2019).

What enters: a whole model, and steps' batches. What leaves: the model without what other ranks have, and the gradients
of its own part. All that torch calls pipelining, and may yet change, is used here and nowhere else.

The parts keep the names they have in the whole model, so that files of weights and of the optimiser's memory are those
of a model in one piece.

Axes: B sequence, T position, D model width.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.pipelining.schedules import Schedule1F1B
from torch.distributed.pipelining.stage import PipelineStage

from textpipe.errors import ConfigError, counted
from textpipe.nn.losses import linear_cross_entropy
from textpipe.nn.shapes import GptConfig

if TYPE_CHECKING:
    from textpipe.nn.gpt import GPT
    from textpipe.training.distributed.ranks import Ranks
    from textpipe.training.run_config import ModelConfig, TrainConfig

__all__ = ["Pipeline", "refuse_what_cannot_be_cut", "stage_of"]


def stage_of(name: str, layers: int, stages: int) -> int:
    """The stage that has a parameter of the whole model.

    >>> [stage_of(name, 4, 2) for name in ("token_embedding.weight", "blocks.1.x", "blocks.2.x", "head.weight")]
    [0, 0, 1, 1]
    """
    if name.startswith("blocks."):
        return int(name.split(".")[1]) * stages // layers
    return 0 if "embedding" in name else stages - 1


def refuse_what_cannot_be_cut(model: ModelConfig, config: TrainConfig) -> None:
    """See that a model of this shape can be cut into stages.

    Raises
    ------
    ConfigError
        naming the setting that stands against it, and what would be allowed.
    """
    stages, where = config.pipeline_parallel, "pipeline_parallel"
    if not isinstance(model, GptConfig):
        raise ConfigError("only a gpt is cut into stages", where=where, allowed="1")
    layers = model.layers
    if layers % stages:
        allowed = ", ".join(str(n) for n in range(1, layers + 1) if layers % n == 0)
        raise ConfigError(
            f"{counted(layers, 'block')} cannot be shared evenly by {stages} stages", where=where, allowed=allowed
        )
    if model.tied:
        raise ConfigError(
            "the first stage has the embedding, the last one the head: they cannot be one matrix",
            where="tied",
            allowed="false",
            hint="train with --no-tied",
        )
    if config.document_mask:
        raise ConfigError("stages do not pass document masks on", where="document_mask", allowed="false")
    size = config.micro_batch_size or 1
    if config.batch_size % size:
        raise ConfigError(
            f"{config.batch_size} sequences are not whole micro-batches of {size}",
            where="micro_batch_size",
            allowed=f"a divisor of {config.batch_size}",
        )


class Pipeline:
    """This rank's stage of a model, and the schedule all of them keep.

    Micro-batches are of ``micro_batch_size`` sequences, of one when it is not set.
    """

    def __init__(self, model: GPT, config: TrainConfig, ranks: Ranks) -> None:
        self.model, self.ranks = model, ranks
        self.layers, self.stages = model.config.layers, ranks.world
        self._label_smoothing, self._scale = config.label_smoothing, 1.0
        stage = _Stage(model, ranks.rank, ranks.world)
        self._schedule = Schedule1F1B(
            PipelineStage(stage, ranks.rank, ranks.world, torch.device(config.device)),
            n_microbatches=config.batch_size // (config.micro_batch_size or 1),
            loss_fn=self._loss,
            scale_grads=False,  # the loss is a share of the whole step's already
        )

    def _loss(self, states_BTD: torch.Tensor, targets_BT: torch.Tensor) -> torch.Tensor:
        total, _ = linear_cross_entropy(
            states_BTD.flatten(0, 1),
            self.model.head_weight,
            targets_BT.flatten(),
            label_smoothing=self._label_smoothing,
        )
        return total * self._scale

    def backward(self, batch: Any, num_targets: int) -> float:
        """Gradients of a whole step; returns the summed loss on the last stage, zero on the others."""
        self._scale = 1.0 / num_targets
        is_first, is_last = self.ranks.is_first, self.ranks.rank == self.stages - 1
        losses: list[torch.Tensor] = []
        given = (batch.tokens_BT,) if is_first else ()
        told = {"target": batch.targets_BT, "losses": losses} if is_last else {}
        self._schedule.step(*given, **told, return_outputs=False)
        return float(sum(loss.item() for loss in losses)) * num_targets

    def whole(self, copy: nn.Module) -> nn.Module:
        """Fill a model in one piece with the weights of all stages, on every rank."""
        own = self.model.state_dict()
        for name, tensor in copy.state_dict().items():
            owner = stage_of(name, self.layers, self.stages)
            if owner == self.ranks.rank:
                tensor.copy_(own[name])
            dist.broadcast(tensor, src=owner)
        return copy


class _Stage(nn.Module):
    """A run of blocks, with the embeddings below the first and the norm above the last; what is elsewhere is let go."""

    def __init__(self, model: GPT, stage: int, stages: int) -> None:
        super().__init__()
        self.is_first, self.is_last = stage == 0, stage == stages - 1
        layers = model.config.layers
        kept = {
            str(number): block
            for number, block in enumerate(model.blocks)
            if stage_of(f"blocks.{number}.", layers, stages) == stage
        }
        model.blocks = nn.ModuleDict(kept)  # type: ignore[assignment]
        if not self.is_first:
            model.token_embedding = model.position_embedding = None  # type: ignore[assignment]
        if not self.is_last:
            model.final_norm, model.head = nn.Identity(), None
        self.model = model

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Ids (B, T) on the first stage, states (B, T, D) on the others, to states (B, T, D)."""
        model = self.model
        positions_1T = torch.arange(x.shape[1], device=x.device)[None]
        turn = model.turn(positions_1T)
        if self.is_first:
            x = model.token_embedding(x)
            if model.position_embedding is not None:
                x = x + model.position_embedding(positions_1T)
            x = model.dropout(x)
        for layer, block in model.blocks.items():  # type: ignore[operator]
            x = block(x, is_causal=True, layer=int(layer), turn=turn)
        normed_BTD: torch.Tensor = model.final_norm(x)
        return normed_BTD
