"""Where a run computes and in which type: "auto" made definite.

What enters: "auto", or the name of a device; a :class:`TrainConfig` that may say auto. What leaves: a device this
machine has, and a configuration that says which, so that the run's folder records what really was used.
"""

from __future__ import annotations

import os

import torch

from textpipe.errors import ConfigError
from textpipe.training.run_config import TrainConfig

__all__ = ["pick_device", "resolve"]

# oneDNN, which multiplies bfloat16 on a CPU, keeps a kernel of some megabytes for each shape it met, up to 1,024: with
# batches of ever new lengths that grew to 4 GB beside a model of 2 million parameters. A step takes well under 128.
_KERNELS_KEPT = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "128")


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

    Of a bfloat16 run on a CPU it also bounds the kernels that are kept, where the environment does not say how many.

    Raises
    ------
    ConfigError
        when a device is asked for that is not there.
    """
    device, dtype = pick_device(config.device), config.dtype
    if dtype == "auto":
        fast = device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        dtype = "bfloat16" if fast else "float32"
    if device == "cpu" and dtype == "bfloat16":
        os.environ.setdefault(*_KERNELS_KEPT)  # read with the first product
    return config.replaced(device=device, dtype=dtype)
