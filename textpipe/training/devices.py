"""Where a run computes and in which type: "auto" made definite.

What enters: "auto", or the name of a device; a :class:`TrainConfig` that may say auto. What leaves: a device this
machine has, and a configuration that says which, so that the run's folder records what really was used.
"""

from __future__ import annotations

import torch

from textpipe.errors import ConfigError
from textpipe.training.run_config import TrainConfig

__all__ = ["pick_device", "resolve"]


def pick_device(name: str) -> str:
    """The device meant by ``name``; auto is a CUDA GPU when there is one, else the CPU.

    Raises
    ------
    ConfigError
        when this machine, or this torch, does not have it.
    """
    has = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return "cuda" if has["cuda"] else "cpu"
    if not has.get(name, False):
        raise ConfigError(
            f"no {name} device here, or this build of torch cannot use it",
            where="device",
            allowed=", ".join(["auto", *(known for known, there in has.items() if there)]),
        )
    return name


def resolve(config: TrainConfig) -> TrainConfig:
    """The same configuration with ``device`` and ``dtype`` decided for this machine.

    Raises
    ------
    ConfigError
        when a device is asked for that is not there.
    """
    device, dtype = pick_device(config.device), config.dtype
    if dtype == "auto":
        fast = device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        dtype = "bfloat16" if fast else "float32"
    return config.replaced(device=device, dtype=dtype)
