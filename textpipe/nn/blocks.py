"""What every Transformer here is built of: the feed-forward layers, the norms and the block around them.

What enters: hidden states. What leaves: hidden states of the same shape. A block normalises before each part, as GPT-2,
Llama and most since (``norm_first``), or after it, as Vaswani et al. 2017, GPT-1 and BERT did.

Axes: B sequence, T position, S position of the source, D model width, F inner width.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from textpipe.nn.activations import ACTIVATIONS
from textpipe.nn.attention import Attention, KeyValueCache, Rotation

__all__ = [
    "Block",
    "BlockShape",
    "DecoderBlock",
    "FeedForward",
    "GatedFeedForward",
    "block_matrices",
    "set_checkpointing",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockShape:
    """What blocks are made from; ``activation`` is a key of ``ACTIVATIONS``."""

    width: int
    heads: int
    feed_forward: int
    activation: str
    norm_first: bool
    kv_heads: int | None = None
    rms_norm: bool = False
    bias: bool = True
    norm_epsilon: float = 1e-5
    dropout: float = 0.0

    def new_norm(self) -> nn.Module:
        """A norm over D: subtracting the mean, or of the root mean square alone (Zhang, Sennrich 2019)."""
        if self.rms_norm:
            return nn.RMSNorm(self.width, eps=self.norm_epsilon)
        return nn.LayerNorm(self.width, eps=self.norm_epsilon, bias=self.bias)

    def new_attention(self) -> Attention:
        return Attention(self.width, self.heads, kv_heads=self.kv_heads, dropout=self.dropout, bias=self.bias)

    def new_feed_forward(self) -> nn.Module:
        return GatedFeedForward(self) if self.activation == "swiglu" else FeedForward(self)


class FeedForward(nn.Module):
    """Two linear layers with a bend between."""

    def __init__(self, shape: BlockShape) -> None:
        super().__init__()
        self.activation = ACTIVATIONS[shape.activation]
        self.up = nn.Linear(shape.width, shape.feed_forward, bias=shape.bias)
        self.down = nn.Linear(shape.feed_forward, shape.width, bias=shape.bias)

    def forward(self, x_BTD: torch.Tensor) -> torch.Tensor:
        y_BTD: torch.Tensor = self.down(self.activation(self.up(x_BTD)))
        return y_BTD


class GatedFeedForward(FeedForward):
    """The inner layer multiplied by a gate of its own (Shazeer 2020)."""

    def __init__(self, shape: BlockShape) -> None:
        super().__init__(shape)
        self.gate = nn.Linear(shape.width, shape.feed_forward, bias=shape.bias)

    def forward(self, x_BTD: torch.Tensor) -> torch.Tensor:
        y_BTD: torch.Tensor = self.down(self.activation(self.gate(x_BTD)) * self.up(x_BTD))
        return y_BTD


class Block(nn.Module):
    """Attention of a sequence to itself, then feed-forward; each adds to the stream."""

    recomputes = False  # whether activations are computed again in backward instead of kept

    def __init__(self, shape: BlockShape) -> None:
        super().__init__()
        self.norm_first = shape.norm_first
        self.attention_norm = shape.new_norm()
        self.attention = shape.new_attention()
        self.feed_forward_norm = shape.new_norm()
        self.feed_forward = shape.new_feed_forward()
        self.dropout = shape.dropout

    def forward(
        self,
        x_BTD: torch.Tensor,
        mask: torch.Tensor | None = None,
        *,
        is_causal: bool = False,
        cache: KeyValueCache | None = None,
        layer: int = 0,
        turn: Rotation | None = None,
    ) -> torch.Tensor:
        """As :meth:`Attention.forward`."""
        if self.recomputes and torch.is_grad_enabled():
            return checkpoint(  # type: ignore[no-any-return]
                self._through, x_BTD, mask, is_causal=is_causal, turn=turn, use_reentrant=False
            )
        return self._through(x_BTD, mask, is_causal=is_causal, cache=cache, layer=layer, turn=turn)

    def _through(
        self,
        x_BTD: torch.Tensor,
        mask: torch.Tensor | None,
        *,
        is_causal: bool,
        cache: KeyValueCache | None = None,
        layer: int = 0,
        turn: Rotation | None = None,
    ) -> torch.Tensor:
        y_BTD = self.attention_norm(x_BTD) if self.norm_first else x_BTD
        y_BTD = self.attention(y_BTD, mask, is_causal=is_causal, cache=cache, layer=layer, turn=turn)
        x_BTD = x_BTD + self._dropped(y_BTD)
        return self._fed_forward(x_BTD if self.norm_first else self.attention_norm(x_BTD))

    def _fed_forward(self, x_BTD: torch.Tensor) -> torch.Tensor:
        if self.norm_first:
            return x_BTD + self._dropped(self.feed_forward(self.feed_forward_norm(x_BTD)))
        y_BTD: torch.Tensor = self.feed_forward_norm(x_BTD + self._dropped(self.feed_forward(x_BTD)))
        return y_BTD

    def _dropped(self, x_BTD: torch.Tensor) -> torch.Tensor:
        return functional.dropout(x_BTD, self.dropout) if self.training and self.dropout else x_BTD


class DecoderBlock(Block):
    """A causal block that between its two parts attends to the states of a source."""

    def __init__(self, shape: BlockShape) -> None:
        super().__init__(shape)
        self.source_norm = shape.new_norm()
        self.source_attention = shape.new_attention()

    def forward(  # type: ignore[override]
        self,
        x_BTD: torch.Tensor,
        source: tuple[torch.Tensor, torch.Tensor],
        source_mask: torch.Tensor | None,
        *,
        cache: KeyValueCache | None = None,
        layer: int = 0,
    ) -> torch.Tensor:
        """``source`` are the source's keys and values for this block (see :meth:`Attention.keys_values`)."""
        if self.recomputes and torch.is_grad_enabled():
            return checkpoint(self._through_both, x_BTD, source, source_mask, use_reentrant=False)  # type: ignore[no-any-return]
        return self._through_both(x_BTD, source, source_mask, cache, layer)

    def _through_both(
        self,
        x_BTD: torch.Tensor,
        source: tuple[torch.Tensor, torch.Tensor],
        source_mask: torch.Tensor | None,
        cache: KeyValueCache | None = None,
        layer: int = 0,
    ) -> torch.Tensor:
        mask = None if cache is None else cache.mask(x_BTD.shape[1])
        y_BTD = self.attention_norm(x_BTD) if self.norm_first else x_BTD
        x_BTD = x_BTD + self._dropped(self.attention(y_BTD, mask, is_causal=True, cache=cache, layer=layer))
        x_BTD = x_BTD if self.norm_first else self.attention_norm(x_BTD)
        y_BTD = self.source_norm(x_BTD) if self.norm_first else x_BTD
        x_BTD = x_BTD + self._dropped(self.source_attention.attend(y_BTD, source, source_mask))
        return self._fed_forward(x_BTD if self.norm_first else self.source_norm(x_BTD))


def block_matrices(model: nn.Module) -> Iterator[nn.Parameter]:
    """The matrices that map hidden states to hidden states, block by block: no embedding, no head, no bias or norm."""
    for part in model.modules():
        if isinstance(part, Block):
            yield from (weight for weight in part.parameters() if weight.dim() == 2)


def set_checkpointing(model: nn.Module, is_on: bool) -> None:
    """Whether blocks compute their activations again in backward instead of keeping them."""
    for part in model.modules():
        if isinstance(part, Block):
            part.recomputes = is_on
