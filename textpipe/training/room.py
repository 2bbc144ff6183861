"""Whether a model fits into memory, before it is made.

What enters: a shape and the settings. What leaves: nothing, or an error that says how much is wanted, how much there
is, and what would fit. Weights, gradients and the optimiser's memory are counted exactly; activations come on top, and
running out of memory for them is told by the step itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch

from textpipe.errors import LimitError

if TYPE_CHECKING:
    from textpipe.training.run_config import ModelConfig, TrainConfig

__all__ = ["bytes_a_parameter", "check_room", "free_bytes"]

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
    """Refuse a model whose weights, gradients and optimiser do not fit where it is to be trained.

    Raises
    ------
    LimitError
        saying how much is wanted and which setting to lower to what.
    """
    free, each = free_bytes(config.device), bytes_a_parameter(config)
    wanted = model.num_parameters * each
    if free is None or wanted <= free:
        return
    raise LimitError(
        f"a model of {model.num_parameters:,} parameters wants {wanted / 1e9:.1f} GB for weights, gradients and "
        f"optimiser, and {free / 1e9:.1f} GB are free",
        where=config.device,
        hint=f"try {_what_fits(model, free // each)}",
    )


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
