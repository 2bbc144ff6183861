"""Causal self-attention, its masks and its key-value cache.

What enters: hidden states and, when generating, a cache of the keys and values so far. What leaves: hidden states.
Attention itself is torch's ``scaled_dot_product_attention``, which picks the fastest kernel of the device.

Axes: B sequence, T position read now, S position attended to (cache and now), D model width, H head, K width of a head,
L layer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["CausalAttention", "KeyValueCache", "document_mask"]


class KeyValueCache:
    """Keys and values of every layer for what was read so far, in memory taken once.

    Parameters
    ----------
    layers, batch, heads, capacity, head_width : the shape.
    padding : for each sequence, how many positions at its left hold nothing (prompts of mixed length).

    Notes
    -----
    Memory: 2 · layers · batch · heads · capacity · head_width numbers.
    """

    def __init__(
        self,
        *,
        layers: int,
        batch: int,
        heads: int,
        capacity: int,
        head_width: int,
        padding: Sequence[int] | None = None,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.capacity = capacity
        self.length = 0
        self._keys_LBHSK = torch.zeros(layers, batch, heads, capacity, head_width, device=device, dtype=dtype)
        self._values_LBHSK = torch.zeros_like(self._keys_LBHSK)
        padded = padding is not None and any(padding)
        self.padding_B = torch.tensor(list(padding or ()), device=device) if padded else None

    def extend(
        self, layer: int, keys_BHTK: torch.Tensor, values_BHTK: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Store what a layer computed for the new positions; return its keys and values for all positions."""
        end = self.length + keys_BHTK.shape[2]
        self._keys_LBHSK[layer, :, :, self.length : end] = keys_BHTK
        self._values_LBHSK[layer, :, :, self.length : end] = values_BHTK
        return self._keys_LBHSK[layer, :, :, :end], self._values_LBHSK[layer, :, :, :end]

    def positions_BT(self, count: int) -> torch.Tensor:
        """Place of each of the next ``count`` positions in its own text (padding stands at place 0)."""
        places_T = torch.arange(self.length, self.length + count, device=self._keys_LBHSK.device)
        if self.padding_B is None:
            return places_T[None]
        return (places_T[None] - self.padding_B[:, None]).clamp_(min=0)

    def mask(self, count: int) -> torch.Tensor | None:
        """Which positions the next ``count`` may attend to, or None when it is all of them up to their own."""
        if self.padding_B is None and (count == 1 or self.length == 0):
            return None
        device = self._keys_LBHSK.device
        seen_S = torch.arange(self.length + count, device=device)
        own_T = torch.arange(self.length, self.length + count, device=device)
        allowed = seen_S[None, :] <= own_T[:, None]
        if self.padding_B is None:
            return allowed[None, None]
        real_BTS = allowed[None] & (seen_S[None, None, :] >= self.padding_B[:, None, None])
        # A padded position attends to itself: attending to nothing would be a division by zero.
        return (real_BTS | (seen_S[None, :] == own_T[:, None])[None])[:, None]


def document_mask(segments_BT: torch.Tensor) -> torch.Tensor:
    """Mask (B, 1, T, T) that lets a position see what stands before it in its own document."""
    length = segments_BT.shape[1]
    causal_TT = torch.ones(length, length, dtype=torch.bool, device=segments_BT.device).tril_()
    return ((segments_BT[:, :, None] == segments_BT[:, None, :]) & causal_TT)[:, None]


class CausalAttention(nn.Module):
    """Multi-head attention in which a position sees itself and what stands before it."""

    def __init__(self, width: int, heads: int, *, dropout: float, bias: bool) -> None:
        super().__init__()
        self.heads = heads
        self.dropout = dropout
        self.query_key_value = nn.Linear(width, 3 * width, bias=bias)
        self.output = nn.Linear(width, width, bias=bias)

    def forward(
        self,
        x_BTD: torch.Tensor,
        mask: torch.Tensor | None = None,
        cache: KeyValueCache | None = None,
        layer: int = 0,
    ) -> torch.Tensor:
        """Attend; without a mask, causally over what is read now (or to everything, when that is one position)."""
        batch, length, width = x_BTD.shape
        parts_BTNHK = self.query_key_value(x_BTD).view(batch, length, 3, self.heads, width // self.heads)
        queries_BHTK, keys_BHSK, values_BHSK = parts_BTNHK.permute(2, 0, 3, 1, 4).unbind(0)
        if cache is not None:
            keys_BHSK, values_BHSK = cache.extend(layer, keys_BHSK, values_BHSK)
        y_BHTK = functional.scaled_dot_product_attention(
            queries_BHTK,
            keys_BHSK,
            values_BHSK,
            attn_mask=mask,
            is_causal=mask is None and length > 1,
            dropout_p=self.dropout if self.training else 0.0,
        )
        y_BTD: torch.Tensor = self.output(y_BHTK.transpose(1, 2).reshape(batch, length, width))
        return y_BTD
