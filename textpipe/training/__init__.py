"""Training: one loop, its optimiser and schedule, its checkpoints.

run_config   what a run is: the model, the training, the data it reads
presets      ready-made settings
estimate     what a run would take
loop         Trainer: validation, samples, log, checkpoints, exact resume
step         one optimiser step: schedule, gradients, clipping
optimizers   AdamW, or Muon with AdamW beside it
averaging    means of weights, running and of checkpoints
watching     speed, losses that jump, patience
schedules    the learning rate as a function of the step
checkpoints  saved durably, opened only when whole
run_folder   whose a folder is, and where it goes on
room         whether a model fits into memory
starting     weights to begin with instead of random ones
loading      a trained model from a run, a checkpoint or a folder of transformers
model_card   what a model is and how to use it
tensorboard  the log for TensorBoard
exporting    a run as a folder that transformers loads
stop         Ctrl-C and SIGTERM end a run after the step in hand
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textpipe.training.loading import load_model
    from textpipe.training.loop import Trainer
    from textpipe.training.presets import PRESETS, preset
    from textpipe.training.run_config import TrainConfig
    from textpipe.training.starting import Start

_HOME = {
    "PRESETS": "presets",
    "Start": "starting",
    "TrainConfig": "run_config",
    "Trainer": "loop",
    "load_model": "loading",
    "preset": "presets",
}

__all__ = ["PRESETS", "Start", "TrainConfig", "Trainer", "load_model", "preset"]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"textpipe.training.{_HOME[name]}"), name)
    raise AttributeError(f"module 'textpipe.training' has no attribute {name!r}")
