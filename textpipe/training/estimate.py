"""What a run would take: sizes, memory and time, before it is begun.

What enters: a model's shape, data and settings. What leaves: plain facts. Time is measured, on this machine, by a few
steps that are thrown away; memory is counted, with that of activations, and what those steps added to the process.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from textpipe.planning.workload import step_bytes
from textpipe.tasks.choosing import task_for
from textpipe.training.devices import resolve
from textpipe.training.room import check_room
from textpipe.training.run_config import architecture_of
from textpipe.training.step import Stepper

if TYPE_CHECKING:
    from textpipe.data.training_data import TrainingData
    from textpipe.training.run_config import ModelConfig, TrainConfig

__all__ = ["estimate"]

_TIMED_STEPS = 3


def estimate(model: ModelConfig, data: TrainingData, config: TrainConfig) -> dict[str, Any]:
    """Facts of the run that :class:`~textpipe.training.loop.Trainer` would make of the same arguments.

    Notes
    -----
    The first step is not timed: it takes memory and chooses kernels.
    """
    config = resolve(config)
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    check_room(model, config)
    task = task_for(model, data, config)
    before = _peak_bytes(config.device)
    made = task.new_model(0).to(config.device)
    stepper = Stepper(task, made, config, where=Path("estimate"))
    num_parameters = sum(weight.numel() for weight in made.parameters())
    targets, seconds = 0, 0.0
    for step in range(1, 2 + _TIMED_STEPS):
        begin = time.perf_counter()
        targets_now = stepper(step).num_targets
        if step > 1:
            seconds += time.perf_counter() - begin
            targets += targets_now
    per_step = seconds / _TIMED_STEPS
    states = num_parameters * 4 + sum(tensor.nbytes for tensor in stepper.optimizer.state().values())
    counted = step_bytes(model, config)
    return {
        "architecture": architecture_of(model),
        "parameters": f"{num_parameters:,}",
        "steps": f"{config.steps:,}",
        "targets a step": f"{targets // _TIMED_STEPS:,}",
        "targets in all": f"{targets // _TIMED_STEPS * config.steps:,}",
        "weights, gradients and optimiser": f"{(states + num_parameters * 4) / 1e6:,.0f} MB",
        **({} if counted is None else {"with activations, as counted": f"{counted / 1e6:,.0f} MB"}),
        "what trying it took": f"{(_peak_bytes(config.device) - before) / 1e6:,.0f} MB",
        "a step on this machine": f"{1e3 * per_step:,.0f} ms",
        "time without validation": _duration(per_step * config.steps),
        "device": f"{config.device}, {config.dtype}",
    }


def _peak_bytes(device: str) -> int:
    if device == "cuda":
        return int(torch.cuda.max_memory_allocated())
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _duration(seconds: float) -> str:
    hours, rest = divmod(round(seconds), 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {left:02d} s"
