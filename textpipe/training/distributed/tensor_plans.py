"""Where a block's layers are cut for tensor parallelism (Shoeybi et al. 2019).

What enters: a model and the ranks that share it. What leaves: the same model, in which each rank has some of the heads
of every attention and some of the inner numbers of every feed-forward layer. The matrices that widen are cut by
columns, those that lead back to the stream by rows, whose sums are then added over the ranks: once forward for each
part of a block, and once backward. Embeddings, norms and the head are whole on every rank.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, parallelize_module

from textpipe.errors import ConfigError, counted
from textpipe.nn.attention import Attention
from textpipe.nn.blocks import FeedForward

if TYPE_CHECKING:
    from torch import nn
    from torch.distributed.device_mesh import DeviceMesh
    from torch.distributed.tensor.parallel import ParallelStyle

    from textpipe.nn.shapes import EncoderConfig, GptConfig, TransformerConfig

__all__ = ["cut_layers", "refuse_uneven_cut"]


def _plan(part: nn.Module) -> dict[str, ParallelStyle]:
    wide = ("query", "key", "value") if isinstance(part, Attention) else ("up", "gate")
    back = "output" if isinstance(part, Attention) else "down"
    plan: dict[str, ParallelStyle] = {name: ColwiseParallel() for name in wide if hasattr(part, name)}
    return {**plan, back: RowwiseParallel()}


def cut_layers(model: nn.Module, mesh: DeviceMesh) -> None:
    """Share every attention and feed-forward layer of a model between the ranks of ``mesh``, in place."""
    for part in list(model.modules()):
        if isinstance(part, Attention | FeedForward):
            parallelize_module(part, mesh, _plan(part))


def refuse_uneven_cut(model: GptConfig | EncoderConfig | TransformerConfig, ranks: int) -> None:
    """See that heads and inner numbers can be shared evenly.

    Raises
    ------
    ConfigError
        naming what does not divide.
    """
    counts = {
        "head": model.heads,
        "head of keys and values": getattr(model, "kv_heads", None) or model.heads,
        "inner number of a feed-forward layer": model.inner_width,
    }
    for name, count in counts.items():
        if count % ranks:
            raise ConfigError(
                f"{counted(count, name)} cannot be shared evenly by {ranks} ranks",
                where="tensor_parallel",
                allowed=", ".join(str(n) for n in range(1, min(count, 64) + 1) if count % n == 0),
            )
