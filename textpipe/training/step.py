"""One optimiser step.

What enters: a task, its model and the settings. What leaves: the model one step further, with the loss, the gradient's
norm and the learning rate of the step. Everything random in it is drawn from (seed, step).
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from textpipe.data.permutation import derive_key
from textpipe.errors import ConfigError, LimitError, StateError
from textpipe.training.averaging import RunningMean
from textpipe.training.distributed.parallel import Parallel
from textpipe.training.optimizers import Optimizer
from textpipe.training.room import cure
from textpipe.training.schedules import SCHEDULES
from textpipe.training.watching import LossWatch

if TYPE_CHECKING:
    from torch import nn

    from textpipe.tasks.base import Task, TaskBatch
    from textpipe.training.run_config import TrainConfig

__all__ = ["StepResult", "Stepper"]

_TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


class StepResult(NamedTuple):
    """What a step gave; the loss is nats a target, None where the batch has no target."""

    loss: float | None
    gradient_norm: float
    rate: float
    num_targets: int


class Stepper:
    """Trains a model step by step.

    Parameters
    ----------
    model : on its device, with the weights to begin with.
    where : named in messages.
    parallel : how ranks share the model; this process alone when absent.
    """

    def __init__(
        self, task: Task, model: nn.Module, config: TrainConfig, *, where: Path, parallel: Parallel | None = None
    ) -> None:
        self.task, self.model, self.config, self.where = task, model, config, where
        self.parallel = parallel or Parallel(config)
        self.parallel.share(task, model)
        self.device, self.dtype = torch.device(config.device), _TYPES[config.dtype]
        self.optimizer = Optimizer(model, config)
        self.mean = RunningMean(model, config.average_decay) if config.average_decay else None
        self.watch = LossWatch(config.max_loss_rise)
        # float16 has no room for small gradients: they are scaled up, and steps that overflow are left out.
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.dtype == torch.float16)

    def __call__(self, step: int) -> StepResult:
        """The ``step``-th step of the run, from 1; one whose batch has no target leaves all as it was.

        Raises
        ------
        StateError
            when the loss is not a number or has jumped; nothing is saved of such a step.
        LimitError
            when memory runs out, naming the setting to lower.
        """
        config = self.config
        factor = SCHEDULES[config.schedule](
            step, warmup_steps=config.warmup_steps, steps=config.steps, floor=config.final_share
        )
        rate = config.learning_rate * factor
        self.optimizer.set_rate(rate)
        others = (self.parallel.data_rank,) if self.parallel.data_rank else ()
        torch.manual_seed(derive_key("dropout", config.seed, step, *others) >> 1)
        batch = self.task.batch(step - 1)
        num_targets = batch.num_targets
        if not num_targets:
            return StepResult(None, 0.0, rate, 0)
        self.model.train()
        self.optimizer.zero_grad()
        with self._explained(batch):
            loss = self._accumulate(batch, num_targets)
        norm = self._clip()
        self._check(step, batch, loss, norm, num_targets)
        for part in self.optimizer.parts:
            self.scaler.step(part)
        self.scaler.update()
        if self.mean is not None:
            self.mean.update(self.model, step)
        return StepResult(loss, norm, rate, num_targets)

    def _accumulate(self, batch: TaskBatch, num_targets: int) -> float:
        """Gradients of a whole batch, a micro-batch at a time; returns its loss a target."""
        total, ranks = 0.0, self.parallel.data_ranks
        if self.parallel.pipeline is not None:
            with torch.autocast(self.device.type, dtype=self.dtype, enabled=self.dtype != torch.float32):
                total = self.parallel.pipeline.backward(batch.to(self.device), num_targets)
            return self.parallel.total(total) / num_targets
        for part, counts in self.parallel.micro_batches(batch):
            with torch.autocast(self.device.type, dtype=self.dtype, enabled=self.dtype != torch.float32):
                loss_sum, _ = self.parallel.loss(part.to(self.device))
            share = loss_sum if counts else loss_sum * 0
            # ranks average their gradients: times their number it is the sum that one process would have
            self.scaler.scale(share * ranks / num_targets).backward()  # type: ignore[no-untyped-call]
            total += share.item()
        return self.parallel.total(total) / num_targets

    def _clip(self) -> float:
        for part in self.optimizer.parts:
            self.scaler.unscale_(part)
        longest = self.config.gradient_clip or math.inf
        return self.parallel.clip(self.model, longest)

    def _check(self, step: int, batch: TaskBatch, loss: float, norm: float, num_targets: int) -> None:
        overflowed = self.scaler.is_enabled() and not math.isfinite(norm)  # the scaler leaves such a step out
        if math.isfinite(loss) and (math.isfinite(norm) or overflowed):
            if not self.watch.has_jumped(loss, num_targets):
                return
            what = f"the loss jumped to {loss:.4f} from a mean of {self.watch.mean:.4f}"
        else:
            what = f"the loss is {loss} and the gradient's norm {norm}"
        raise StateError(
            f"step {step}: {what}",
            where=self.where,
            hint=f"the batch was samples {batch.samples[0]} … {batch.samples[-1]}; nothing of it is saved: "
            "start a new run with a lower learning rate or a longer warmup",
        )

    @contextlib.contextmanager
    def _explained(self, batch: TaskBatch) -> Iterator[None]:
        """Turn "out of memory" into the setting to lower, and what a compiler cannot do into the one to leave out."""
        try:
            yield
        except RuntimeError as error:
            if self.config.compile and type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
                raise ConfigError(
                    f"torch.compile cannot make kernels here: {str(error).strip().splitlines()[0]}",
                    where="compile",
                    hint="install a C++ compiler (g++), or train without --compile: the numbers are the same",
                ) from error
            if not isinstance(error, torch.OutOfMemoryError) and "allocate memory" not in str(error):
                raise
            size = min(self.config.micro_batch_size or len(batch.samples), len(batch.samples))
            shape: Any = self.model.config
            raise LimitError(
                f"out of memory with {size} sequences at once",
                where=self.config.device,
                hint=cure(shape, self.config, size),
            ) from error

    @contextlib.contextmanager
    def evaluating(self) -> Iterator[nn.Module]:
        """The model as it is judged with: no dropout, and the mean of its weights where there is one."""
        self.model.eval()
        with contextlib.nullcontext() if self.mean is None else self.mean.in_place(self.model):
            # the parts of a pipeline cannot be called one by one
            yield self.model if self.parallel.pipeline is None else self._whole()
            self.parallel.after_evaluation(self.model)

    @contextlib.contextmanager
    def writing(self) -> Iterator[nn.Module]:
        """The same with all of its weights on this rank, which is what writing text takes."""
        self.model.eval()
        with contextlib.nullcontext() if self.mean is None else self.mean.in_place(self.model):
            yield self._whole()

    def _whole(self) -> nn.Module:
        return self.parallel.whole(self.model, lambda: self.task.new_model(0))

    def tensors(self) -> dict[str, dict[str, torch.Tensor]]:
        """What a resumed run needs, by the files of a checkpoint; this rank's parts where ranks hold parts."""
        weights = {name: tensor.detach().contiguous() for name, tensor in self.model.state_dict().items()}
        # what is not trained has no mean: it stands beside the means, so that they are a whole model
        mean = {} if self.mean is None else {"average.safetensors": {**weights, **self.mean.weights}}
        return {"model.safetensors": weights, **mean, "optimizer.safetensors": self.optimizer.state()}

    def load_parts(self, folder: Path) -> None:
        """Take this rank's parts out of the files that :meth:`tensors` went to, whatever number of ranks wrote them."""
        from textpipe.training.distributed.sharded_files import read_counters, read_sharded

        read_sharded(folder / "model.safetensors", dict(self.model.state_dict()))
        if self.mean is not None:
            read_sharded(folder / "average.safetensors", self.mean.weights)
        path = folder / "optimizer.safetensors"
        memory = self.optimizer.blank_state()
        read_sharded(path, memory)
        own = {name.rpartition("/")[0] for name in memory}  # a stage has some of the parameters only
        counters = {name: count for name, count in read_counters(path).items() if name.rpartition("/")[0] in own}
        self.optimizer.load_state({**memory, **counters})

    def state(self) -> dict[str, Any]:
        """What beside tensors a resumed run needs, for JSON."""
        return {**self.watch.state(), "scaler": self.scaler.state_dict()}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from what :meth:`state` gave."""
        self.watch = LossWatch(self.config.max_loss_rise, state)
        if self.scaler.is_enabled():
            self.scaler.load_state_dict(state["scaler"])
