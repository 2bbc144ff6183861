"""Where a run computes and in which type: "auto" made definite.

What enters: a :class:`TrainConfig` that may say auto. What leaves: one that says a device and a type, so that the run's
folder records what really was used.
"""

from __future__ import annotations

import torch

from textpipe.errors import ConfigError
from textpipe.training.run_config import TrainConfig

__all__ = ["resolve"]


def resolve(config: TrainConfig) -> TrainConfig:
    """The same configuration with ``device`` and ``dtype`` decided for this machine.

    Raises
    ------
    ConfigError
        when a device is asked for that this machine, or this torch, does not have.
    """
    has = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    device = config.device
    if device == "auto":
        device = "cuda" if has["cuda"] else "cpu"
    if not has[device]:
        raise ConfigError(
            f"no {device} device here, or this build of torch cannot use it",
            where="device",
            allowed=", ".join(name for name, there in has.items() if there),
        )
    dtype = config.dtype
    if dtype == "auto":
        fast = device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        dtype = "bfloat16" if fast else "float32"
    return config.replaced(device=device, dtype=dtype)
