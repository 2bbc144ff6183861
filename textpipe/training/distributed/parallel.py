"""How the ranks of a run share its model.

What enters: the training's settings and the ranks. What leaves: one :class:`Parallel` that the step, the loop and the
checkpoints ask for what differs between one process and many:

    ddp              every rank has the whole model; gradients are averaged while backward still runs
    fsdp             every rank has a part of each tensor, of its gradient and of the optimiser's memory; a block is
                     gathered when it is computed (FSDP2; the third stage of ZeRO)
    tensor parallel  every rank computes some heads and inner numbers of each block; may be joined with fsdp
    pipeline         every rank has a run of blocks, and micro-batches pass through them one behind the other

The ranks form a grid of ``data`` × ``tensor``: those of one row see the same sequences. Any number of ranks computes
the same losses, to rounding, where nothing is dropped: each rank draws its own dropout.
"""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.distributed.tensor import DTensor

from textpipe.errors import ConfigError, counted
from textpipe.nn.blocks import Block, DecoderBlock
from textpipe.nn.shapes import BilingualConfig, Seq2SeqConfig
from textpipe.training.distributed.ranks import Ranks
from textpipe.training.distributed.shares import MicroBatch, micro_batches

if TYPE_CHECKING:
    from torch.distributed.device_mesh import DeviceMesh

    from textpipe.tasks.base import Task, TaskBatch
    from textpipe.training.distributed.pipeline import Pipeline
    from textpipe.training.run_config import ModelConfig, TrainConfig

__all__ = ["Parallel"]


class Parallel:
    """What sharing a model between ranks changes about training it.

    Raises
    ------
    ConfigError
        when the number of ranks does not divide, or the settings do not go together.
    """

    def __init__(self, config: TrainConfig, ranks: Ranks | None = None) -> None:
        self.config, self.ranks = config, ranks or Ranks()
        world, tensor = self.ranks.world, config.tensor_parallel
        if config.pipeline_parallel > 1:
            self._refuse_other_than_stages()
        if world % tensor:
            raise ConfigError(
                f"{counted(world, 'process')} cannot be split into groups of {tensor} tensor-parallel ranks",
                where="tensor_parallel",
                allowed=", ".join(str(n) for n in range(1, world + 1) if world % n == 0),
                hint=None if world > 1 else f"start with torchrun --nproc-per-node {tensor} -m textpipe train …",
            )
        together = tensor * config.pipeline_parallel  # ranks that see the same sequences
        self.tensor_ranks, self.data_ranks = tensor, world // together
        self.data_rank = self.ranks.rank // together
        self.shards = config.sharding == "fsdp" and self.data_ranks > 1
        self._refuse_what_does_not_go_together()
        self._replica: nn.Module | None = None
        self._loss: Callable[[Any], tuple[torch.Tensor, torch.Tensor]] | None = None
        self.pipeline: Pipeline | None = None

    def _refuse_other_than_stages(self) -> None:
        config, world = self.config, self.ranks.world
        stages, words = config.pipeline_parallel, "torchrun --nproc-per-node {} -m textpipe train …"
        if world != stages:
            raise ConfigError(
                f"{counted(world, 'process')} cannot be the {stages} stages of a pipeline",
                where="pipeline_parallel",
                allowed=f"{world}" if world > 1 else "1",
                hint=f"start with {words.format(stages)}",
            )
        for key, value, allowed in (
            ("tensor_parallel", config.tensor_parallel, 1),
            ("sharding", config.sharding, "ddp"),
        ):
            if value != allowed:
                raise ConfigError(f"{value} is not joined with a pipeline", where=key, allowed=str(allowed))

    def _refuse_what_does_not_go_together(self) -> None:
        config = self.config
        if self.tensor_ranks > 1 and self.data_ranks > 1 and not self.shards:
            raise ConfigError(
                f"copies of a model whose layers are cut: {self.data_ranks} × {self.tensor_ranks} ranks",
                where="sharding",
                allowed="fsdp",
                hint="add --sharding fsdp, or make --tensor-parallel the number of processes",
            )
        if self.is_cut and (found := config.needs_whole_tensors) is not None:
            key, refused, allowed = found
            raise ConfigError(f"{refused} needs whole tensors, and ranks have parts", where=key, allowed=allowed)

    @property
    def is_cut(self) -> bool:
        """Whether ranks hold parts of tensors, not copies."""
        return self.shards or self.tensor_ranks > 1 or self.config.pipeline_parallel > 1

    def check_model(self, model: ModelConfig) -> None:
        """Refuse a model that cannot be cut as the settings say.

        Raises
        ------
        ConfigError
            naming the setting, with what is allowed.
        """
        if not self.is_cut:
            return
        key = "sharding" if self.shards else "tensor_parallel" if self.tensor_ranks > 1 else "pipeline_parallel"
        if isinstance(model, BilingualConfig | Seq2SeqConfig):
            what = "a recurrent model" if isinstance(model, Seq2SeqConfig) else "a model of two languages"
            raise ConfigError(f"{what} is not cut", where=key, allowed="ddp" if self.shards else "1")
        if self.config.pipeline_parallel > 1:
            from textpipe.training.distributed.pipeline import refuse_what_cannot_be_cut

            refuse_what_cannot_be_cut(model, self.config)
        if self.tensor_ranks > 1:
            from textpipe.training.distributed.tensor_plans import refuse_uneven_cut

            refuse_uneven_cut(model, self.tensor_ranks)

    def check_batch(self, batch_size: int) -> None:
        """Refuse sequences that cannot be shared evenly.

        Raises
        ------
        ConfigError
            with the multiple that is allowed.
        """
        if batch_size % self.data_ranks:
            raise ConfigError(
                f"{batch_size} sequences a step cannot be shared evenly by {self.data_ranks} ranks",
                where="batch_size",
                allowed=f"a multiple of {self.data_ranks}",
            )

    def share(self, task: Task, model: nn.Module) -> None:
        """Make ``model`` this rank's copy or part, in place; parameters are other objects afterwards."""
        if self.config.pipeline_parallel > 1:
            from textpipe.training.distributed.pipeline import Pipeline

            self.pipeline = Pipeline(model, self.config, self.ranks)  # type: ignore[arg-type]
            return
        if self.is_cut:
            mesh = self._mesh()
            if self.tensor_ranks > 1:
                from textpipe.training.distributed.tensor_plans import cut_layers

                cut_layers(model, mesh["tensor"])
            if self.shards:
                _shard(model, mesh["data"], self.config)
        run: Any = torch.compile(model) if self.config.compile else model
        if self.data_ranks > 1 and not self.shards:
            self._replica = _replica(_Loss(task, run))
            self._loss = self._replica
        else:
            self._loss = lambda batch: task.loss(run, batch)

    def _mesh(self) -> DeviceMesh:
        from torch.distributed.device_mesh import init_device_mesh

        shape = (self.data_ranks, self.tensor_ranks)
        return init_device_mesh(torch.device(self.config.device).type, shape, mesh_dim_names=("data", "tensor"))

    def loss(self, batch: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """The task's loss of one micro-batch, with what the ranks have to do around it."""
        assert self._loss is not None
        return self._loss(batch)

    def micro_batches(self, batch: TaskBatch) -> Iterator[MicroBatch]:
        """This rank's micro-batches of a step; gradients of copies are exchanged with the last one only."""
        parts = micro_batches(batch, self.config.micro_batch_size, rank=self.data_rank, ranks=self.data_ranks)
        for number, part in enumerate(parts, 1):
            replica, waits = self._replica, number < len(parts)
            with replica.no_sync() if replica is not None and waits else contextlib.nullcontext():  # type: ignore[operator]
                yield part

    def total(self, value: float) -> float:
        """The sum of a number over the ranks that see different sequences."""
        return self.ranks.total(value) / self.tensor_ranks

    def clip(self, model: nn.Module, longest: float) -> float:
        """Scale the gradients to at most ``longest``; returns the length of them all, on all ranks."""
        weights = [weight for weight in model.parameters() if weight.grad is not None]
        if not self.is_cut:
            return float(torch.nn.utils.clip_grad_norm_(weights, longest).item())
        groups = list(by_mesh(weights).values())
        gradients = [[weight.grad for weight in group] for group in groups]
        norms = [_whole(torch.nn.utils.get_total_norm(group)) for group in gradients]
        square = sum(float(norm.item()) ** 2 for norm in norms)
        length = math.sqrt(square if self.pipeline is None else self.ranks.total(square))
        for group in groups:
            torch.nn.utils.clip_grads_with_norm_(group, longest, torch.tensor(length, device=group[0].device))
        return length

    def after_evaluation(self, model: nn.Module) -> None:
        """Let go of what was gathered outside of a step."""
        if self.shards:
            model.reshard()  # type: ignore[operator]

    def num_parameters(self, model: nn.Module) -> int:
        """Weights of the model on all ranks together, each counted once."""
        own = sum(weight.numel() for weight in model.parameters())
        return own if self.pipeline is None else round(self.ranks.total(own))

    @torch.no_grad()
    def whole(self, model: nn.Module, make: Callable[[], nn.Module]) -> nn.Module:
        """A model with all of the weights, to write text with: itself, or a copy gathered from all ranks."""
        if not self.is_cut:
            return model
        if self.pipeline is not None:
            return self.pipeline.whole(make().to(self.config.device)).eval()
        gathered = {name: _whole(tensor.detach()) for name, tensor in model.state_dict().items()}
        copy = make().to(self.config.device)
        copy.load_state_dict(gathered)
        return copy.eval()

    def write(self, path: Path, tensors: Mapping[str, torch.Tensor]) -> None:
        """Write a file of tensors whose parts are on many ranks; all call this with the path of the first."""
        from textpipe.training.distributed.sharded_files import write_sharded

        shared = self.ranks.shared(str(path).encode()).decode()
        write_sharded(Path(shared), tensors, is_first=self.ranks.is_first)
        self.ranks.wait()


class _Loss(nn.Module):
    """A task's loss as a module: what DDP wraps has to compute all of it, the head too."""

    def __init__(self, task: Task, model: Any) -> None:
        super().__init__()
        self.task, self.model = task, model

    def forward(self, batch: Any) -> tuple[torch.Tensor, torch.Tensor]:
        return self.task.loss(self.model, batch)


def _replica(loss: nn.Module) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # newer torch has another name for it, older has not
        return torch.nn.parallel.DistributedDataParallel(loss, broadcast_buffers=False, gradient_as_bucket_view=True)


def _shard(model: nn.Module, mesh: DeviceMesh, config: TrainConfig) -> None:
    """Each block a unit of its own, and what stands around the blocks, the tied head included, one more."""
    from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard

    blocks = [part for part in model.modules() if isinstance(part, Block)]
    low = torch.bfloat16 if config.dtype == "bfloat16" else None
    policy = MixedPrecisionPolicy(param_dtype=low, reduce_dtype=torch.float32)
    for block in blocks:
        # a decoder's attention to the source is also used outside its block, and so belongs to what is around
        units = [block.attention, block.feed_forward] if isinstance(block, DecoderBlock) else [block]
        for unit in units:
            fully_shard(unit, mesh=mesh, mp_policy=policy)
    fully_shard(model, mesh=mesh, mp_policy=policy)


def _whole(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def by_mesh(weights: list[Any]) -> dict[Any, list[Any]]:
    """Weights by the ranks that share them: kernels over many tensors take those of one kind."""
    groups: dict[Any, list[Any]] = {}
    for weight in weights:
        groups.setdefault(weight.device_mesh if isinstance(weight, DTensor) else None, []).append(weight)
    return groups
