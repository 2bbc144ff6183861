"""Whether a model fits into memory, before it is made.

What enters: a shape and the settings. What leaves: nothing, or an error that says how much is wanted, how much there
is, and which setting lowered to what would fit. Weights, gradients and the optimiser's memory are counted exactly;
activations as a plan counts them, those of recurrent models not at all. Where memory runs out all the same, in a step,
the same count says what to lower.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch

from textpipe.errors import LimitError
from textpipe.nn.shapes import Seq2SeqConfig
from textpipe.planning.workload import step_bytes, step_sequences

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textpipe.training.run_config import ModelConfig, TrainConfig

__all__ = ["bytes_a_parameter", "check_room", "cure", "free_bytes"]

_LAYERS = ("layers", "encoder_layers", "decoder_layers")


def bytes_a_parameter(config: TrainConfig) -> int:
    """Bytes that training keeps for each number of the model: itself, its gradient, AdamW's two, its running mean.

    Muon keeps one number less for the matrices of blocks, which is not counted on.
    """
    return 4 + 4 + 8 + (4 if config.average_decay else 0)


def free_bytes(device: str) -> int | None:
    """Memory that can still be taken on a device; None where it cannot be told."""
    if device == "cuda":
        return int(torch.cuda.mem_get_info()[0])
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        available = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError, IndexError):
        return None
    try:  # a container may have less than the machine
        group = Path("/sys/fs/cgroup")
        most = int((group / "memory.max").read_text()) - int((group / "memory.current").read_text())
    except (OSError, ValueError):
        return available
    return min(available, max(0, most))


def check_room(model: ModelConfig, config: TrainConfig) -> None:
    """Refuse a run that does not fit where it is to be trained.

    Raises
    ------
    LimitError
        saying how much is wanted and which setting to lower to what.
    """
    free, each = free_bytes(config.device), bytes_a_parameter(config)
    if free is None:
        return
    states, step = model.num_parameters * each, step_bytes(model, config)
    if states > free:
        wants = f"{_shown(states)} for weights, gradients and optimiser"
        hint = f"try {_what_fits(model, free // each)}"
    elif step is not None and step > free:
        wants, hint = f"{_shown(step)}, activations included", _lighter(model, config, step, free)
    else:
        return
    what = f"a model of {model.num_parameters:,} parameters wants {wants}, and {_shown(free)} are free"
    raise LimitError(what, where=config.device, hint=hint)


def cure(model: ModelConfig, config: TrainConfig, sequences: int) -> str:
    """What to do when memory ran out in a step with so many sequences at once."""
    now = config.replaced(micro_batch_size=sequences)
    return _lighter(model, now, step_bytes(model, now), None)


def _lighter(model: ModelConfig, config: TrainConfig, before: float | None, free: int | None) -> str:
    """The first setting that makes a step of ``before`` bytes fit into ``free``, or that makes it lighter."""
    for name, lighter_model, lighter in _settings(model, config):
        after = step_bytes(lighter_model, lighter)
        if after is None or before is None:
            return f"try {name}"
        if after < before and (free is None or after <= free):
            return f"try {name}: about {_shown(after)} instead of {_shown(before)}"
    return "try a smaller width, fewer layers or a smaller vocabulary"


def _settings(model: ModelConfig, config: TrainConfig) -> Iterator[tuple[str, ModelConfig, TrainConfig]]:
    """Settings that take less and less, those that change no result first; each by its name and value."""
    size = config.micro_batch_size or step_sequences(model, config)
    while size > 1:
        size //= 2
        yield f"micro_batch_size {size}, which changes no result", model, config.replaced(micro_batch_size=size)
    config = config.replaced(micro_batch_size=1)
    beside = "micro_batch_size 1 and "
    if not config.checkpoint_activations and not isinstance(model, Seq2SeqConfig):
        config = config.replaced(checkpoint_activations=True)
        beside += "checkpoint_activations"
        yield beside, model, config
        beside += " and "
    context = model.context
    while context > 1:
        context //= 2
        yield f"{beside}context {context}", model.replaced(context=context), config


def _shown(size: float) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


def _what_fits(model: ModelConfig, most: int) -> str:
    """The largest number of layers, or width, with which the model has at most so many parameters."""
    values = model.model_dump()
    layers = [key for key in _LAYERS if key in values]
    highest = max(values[key] for key in layers)
    for count in range(highest - 1, 0, -1):
        fewer = {key: min(values[key], count) for key in layers}
        if model.replaced(**fewer).num_parameters <= most:
            return " and ".join(f"{key} {value}" for key, value in fewer.items())
    step = values.get("heads", 1) * 2
    for width in range(values["width"] // step * step, 0, -step):
        if model.replaced(width=width, **dict.fromkeys(layers, 1)).num_parameters <= most:
            return f"width {width} and {' and '.join(f'{key} 1' for key in layers)}"
    return "a smaller vocabulary"
