"""What there is to compute on: GPUs, how many of them, and how they are joined.

What enters: the name of a GPU and numbers. What leaves: a checked :class:`ClusterConfig`. The numbers of a GPU are its
maker's: memory in GiB, dense 16-bit TFLOP/s without sparsity, GB/s to others in its node each way.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple, Self

import pydantic

from textpipe.config import Config, Field
from textpipe.errors import did_you_mean

__all__ = ["GPUS", "ClusterConfig", "Gpu"]

GIB = 1 << 30


class Gpu(NamedTuple):
    """One kind of device."""

    memory_gib: float
    tflops: float
    link_gb_s: float


GPUS: Mapping[str, Gpu] = MappingProxyType(
    {
        "v100-32": Gpu(32, 125, 150),
        "t4-16": Gpu(16, 65, 16),
        "a10-24": Gpu(24, 125, 32),
        "l4-24": Gpu(24, 121, 32),
        "l40s-48": Gpu(48, 362, 32),
        "rtx3090-24": Gpu(24, 71, 16),
        "rtx4090-24": Gpu(24, 165, 32),
        "a100-40": Gpu(40, 312, 300),
        "a100-80": Gpu(80, 312, 300),
        "h100-80": Gpu(80, 989, 450),
        "h200-141": Gpu(141, 989, 450),
        "b200-180": Gpu(180, 2250, 900),
        "cpu": Gpu(16, 0.1, 8),
    }
)


class ClusterConfig(Config):
    """The machines of a plan.

    Examples
    --------
    >>> cluster = ClusterConfig(gpu="h100-80", gpus=16)
    >>> cluster.peak_tflops
    989
    """

    gpu: str = Field("a100-80", description="kind of device: " + ", ".join(GPUS))
    gpus: int = Field(8, ge=1, le=1 << 20, description="devices in all")
    gpus_per_node: int = Field(8, ge=1, le=1024, description="devices of one machine")
    memory_gib: float | None = Field(None, gt=0.0, description="memory of a device, GiB; its maker's when absent")
    usable: float = Field(
        0.92, gt=0.0, le=1.0, description="share of the memory a run can have; the rest is the driver's and gaps"
    )
    tflops: float | None = Field(None, gt=0.0, description="16-bit TFLOP/s of a device; its maker's when absent")
    utilization: float = Field(
        0.45, gt=0.0, le=1.0, description="share of that reached while computing; 0.4 to 0.55 is usual for large models"
    )
    link_gb_s: float | None = Field(None, gt=0.0, description="GB/s between devices of a node; its maker's when absent")
    network_gb_s: float = Field(25.0, gt=0.0, description="GB/s of each device to other nodes; 25 is 200 Gbit/s")
    price: float = Field(2.0, ge=0.0, description="what a device costs an hour, in dollars or what you pay in")

    @pydantic.model_validator(mode="after")
    def _known(self) -> Self:
        if self.gpu not in GPUS:
            raise ValueError(f"no gpu {self.gpu!r}: {did_you_mean(self.gpu, GPUS)}")
        return self

    @property
    def device_bytes(self) -> float:
        """Memory of a device that a run can have."""
        return (self.memory_gib or GPUS[self.gpu].memory_gib) * GIB * self.usable

    @property
    def peak_tflops(self) -> float:
        """16-bit TFLOP/s of a device."""
        return self.tflops or GPUS[self.gpu].tflops

    @property
    def flops_per_s(self) -> float:
        """Operations a second of one device, as reached."""
        return self.peak_tflops * 1e12 * self.utilization

    @property
    def link_bytes_per_s(self) -> float:
        """Between devices of a node."""
        return (self.link_gb_s or GPUS[self.gpu].link_gb_s) * 1e9
