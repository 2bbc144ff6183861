"""Attention: of a sequence to itself or to another one, its masks, rotary positions and key-value caches.

What enters: hidden states, what to attend to and, when generating, a cache of the keys and values so far. What leaves:
hidden states. Attention itself is torch's ``scaled_dot_product_attention``, which picks the fastest kernel of the
device. Queries, keys and values have a matrix each: so each is sharded by heads and orthogonalised by itself, and is
called the same as in other models.

Axes: B sequence, T position read now, S position attended to (cache and now), D model width, H head, G head of keys and
values, K width of a head, L layer.
"""

from __future__ import annotations

import contextlib
import math
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textpipe.nn.shapes import RopeScaling

__all__ = [
    "Attention",
    "KeyValueCache",
    "Rotation",
    "causal_mask",
    "document_mask",
    "padding_mask",
    "rotary_steps",
    "rotation",
]

_SLOW_BELOW = 256  # positions
Rotation = tuple[torch.Tensor, torch.Tensor]
"""Cosines and sines (B or 1, 1, T, K) of the angles by which positions turn a head's pairs of numbers."""


class KeyValueCache:
    """Keys and values of every layer for what was read so far, in memory taken once.

    Parameters
    ----------
    layers, batch, heads, capacity, head_width : the shape; ``heads`` are those of keys and values.
    padding : for each sequence, how many positions at its left hold nothing (prompts of mixed length).

    Attributes
    ----------
    kept_2LBGSK : keys and values, in one tensor; the first ``length`` of ``capacity`` positions are written.

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
        shape = (2, layers, batch, heads, capacity, head_width)
        self._keep(torch.zeros(shape, device=device, dtype=dtype))
        padded = padding is not None and any(padding)
        self.padding_B = torch.tensor(list(padding or ()), device=device) if padded else None

    def extend(
        self, layer: int, keys_BGTK: torch.Tensor, values_BGTK: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Store what a layer computed for the new positions; return its keys and values for all positions."""
        count = keys_BGTK.shape[2]
        end = self.length + count
        keys_BGSK, values_BGSK = self._layers[layer]
        keys_BGSK.narrow(2, self.length, count).copy_(keys_BGTK)
        values_BGSK.narrow(2, self.length, count).copy_(values_BGTK)
        return keys_BGSK.narrow(2, 0, end), values_BGSK.narrow(2, 0, end)

    def _keep(self, kept_2LBGSK: torch.Tensor) -> None:
        self.kept_2LBGSK = kept_2LBGSK
        self._layers = list(zip(*(part.unbind() for part in kept_2LBGSK), strict=True))  # views, made once

    def select(self, rows_B: torch.Tensor) -> None:
        """Go on with these sequences, in this order; one may be taken several times, as beams are."""
        kept_2LBGSK = self.kept_2LBGSK
        if len(rows_B) == kept_2LBGSK.shape[2]:  # as at most steps of a search: what is not written yet stays
            written_2LBGSK = kept_2LBGSK.narrow(4, 0, self.length)
            written_2LBGSK.copy_(written_2LBGSK.index_select(2, rows_B))
        else:
            self._keep(kept_2LBGSK.index_select(2, rows_B))
        if self.padding_B is not None:
            self.padding_B = self.padding_B[rows_B]

    def positions_BT(self, count: int) -> torch.Tensor:
        """Place of each of the next ``count`` positions in its own text (padding stands at place 0)."""
        places_T = torch.arange(self.length, self.length + count, device=self.kept_2LBGSK.device)
        if self.padding_B is None:
            return places_T[None]
        return (places_T[None] - self.padding_B[:, None]).clamp_(min=0)

    def mask(self, count: int) -> torch.Tensor | None:
        """Which positions the next ``count`` may attend to, or None when it is all of them up to their own."""
        if self.padding_B is None and (count == 1 or self.length == 0):
            return None
        device = self.kept_2LBGSK.device
        seen_S = torch.arange(self.length + count, device=device)
        own_T = torch.arange(self.length, self.length + count, device=device)
        allowed = seen_S[None, :] <= own_T[:, None]
        if self.padding_B is None:
            return allowed[None, None]
        real_BTS = allowed[None] & (seen_S[None, None, :] >= self.padding_B[:, None, None])
        # A padded position attends to itself: attending to nothing would be a division by zero.
        return (real_BTS | (seen_S[None, :] == own_T[:, None])[None])[:, None]


def causal_mask(length: int, device: torch.device | None = None) -> torch.Tensor:
    """Mask (1, 1, T, T) that lets a position see itself and what stands before it."""
    return torch.ones(length, length, dtype=torch.bool, device=device).tril_()[None, None]


def document_mask(documents_BT: torch.Tensor) -> torch.Tensor:
    """Mask (B, 1, T, T) that lets a position see its own document, what comes after it too."""
    return (documents_BT[:, :, None] == documents_BT[:, None, :])[:, None]


def padding_mask(lengths_B: torch.Tensor, length: int) -> torch.Tensor:
    """Mask (B, 1, 1, S) that hides what stands past the end of each sequence of a batch."""
    return (torch.arange(length, device=lengths_B.device)[None] < lengths_B[:, None])[:, None, None]


def rotary_steps(
    head_width: int, base: float, scaling: RopeScaling | None = None, *, device: torch.device | None = None
) -> torch.Tensor:
    """The angle (K / 2) by which one position turns each pair i of a head's numbers: base^(−2i / K) (Su et al. 2021).

    Numbers i and i + K/2 are a pair, as in Llama's published weights.
    """
    exponents = torch.arange(0, head_width, 2, dtype=torch.int64, device=device).float() / head_width
    steps_K = 1.0 / base**exponents
    if scaling is not None:
        turns_K = scaling.original_context / (2 * math.pi / steps_K)
        kept_K = ((turns_K - scaling.low_turns) / (scaling.high_turns - scaling.low_turns)).clamp(0.0, 1.0)
        steps_K = (1 - kept_K) * steps_K / scaling.factor + kept_K * steps_K
    return steps_K


def rotation(positions_BT: torch.Tensor, head_width: int, base: float, scaling: RopeScaling | None = None) -> Rotation:
    """The turn of each position: by its number times :func:`rotary_steps`."""
    steps_K = rotary_steps(head_width, base, scaling, device=positions_BT.device)
    angles_BTK = positions_BT[:, :, None].float() * steps_K
    angles_BTK = torch.cat([angles_BTK, angles_BTK], dim=-1)
    return angles_BTK.cos()[:, None], angles_BTK.sin()[:, None]


def _turned(x_BHTK: torch.Tensor, by: Rotation) -> torch.Tensor:
    cosine, sine = by
    first, second = x_BHTK.chunk(2, dim=-1)
    return x_BHTK * cosine.to(x_BHTK.dtype) + torch.cat([-second, first], dim=-1) * sine.to(x_BHTK.dtype)


class Attention(nn.Module):
    """Multi-head attention of a sequence to itself, or to the states of another.

    Parameters
    ----------
    width, heads : model width and number of heads; each head is ``width / heads`` wide.
    kv_heads : heads of keys and values, each shared by ``heads / kv_heads`` heads of queries (Ainslie et al. 2023).
    dropout : share of attention weights zeroed while training.
    bias : whether the four matrices add one.
    """

    def __init__(self, width: int, heads: int, *, kv_heads: int | None = None, dropout: float, bias: bool) -> None:
        super().__init__()
        self.head_width = width // heads
        self.is_grouped = kv_heads not in (None, heads)
        self.dropout = dropout
        kv_width = (kv_heads or heads) * self.head_width
        self.query = nn.Linear(width, width, bias=bias)
        self.key = nn.Linear(width, kv_width, bias=bias)
        self.value = nn.Linear(width, kv_width, bias=bias)
        self.output = nn.Linear(width, width, bias=bias)

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
        """Attend to what is read now and what the cache holds.

        Parameters
        ----------
        mask : True where a position may be attended to, (B or 1, 1, T or 1, S).
        is_causal : without a mask, a position sees itself and what stands before it.
        cache, layer : keys and values so far; the new ones are added.
        turn : rotary positions of what is read now.
        """
        queries_BHTK, (keys_BGSK, values_BGSK) = self._heads(self.query(x_BTD)), self.keys_values(x_BTD)
        if turn is not None:
            queries_BHTK, keys_BGSK = _turned(queries_BHTK, turn), _turned(keys_BGSK, turn)
        if cache is not None:
            keys_BGSK, values_BGSK = cache.extend(layer, keys_BGSK, values_BGSK)
        causal = is_causal and mask is None and x_BTD.shape[1] > 1
        return self._attend(queries_BHTK, keys_BGSK, values_BGSK, mask, is_causal=causal)

    def attend(
        self, x_BTD: torch.Tensor, keys_values: tuple[torch.Tensor, torch.Tensor], mask: torch.Tensor | None
    ) -> torch.Tensor:
        """Attend to another sequence, whose :meth:`keys_values` were computed once."""
        return self._attend(self._heads(self.query(x_BTD)), *keys_values, mask, is_causal=False)

    def keys_values(self, x_BSD: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Keys and values (B, G, S, K) of a sequence's states."""
        return self._heads(self.key(x_BSD)), self._heads(self.value(x_BSD))

    def _heads(self, x_BTD: torch.Tensor) -> torch.Tensor:
        batch, length, _ = x_BTD.shape
        return x_BTD.view(batch, length, -1, self.head_width).transpose(1, 2)

    def _attend(
        self,
        queries_BHTK: torch.Tensor,
        keys_BGSK: torch.Tensor,
        values_BGSK: torch.Tensor,
        mask: torch.Tensor | None,
        *,
        is_causal: bool,
    ) -> torch.Tensor:
        dropout = self.dropout if self.training else 0.0
        dtype, in_float32 = queries_BHTK.dtype, not dropout and _is_slow_backward(queries_BHTK)
        if in_float32:
            queries_BHTK, keys_BGSK, values_BGSK = queries_BHTK.float(), keys_BGSK.float(), values_BGSK.float()
        with torch.autocast("cpu", enabled=False) if in_float32 else contextlib.nullcontext():
            y_BHTK = functional.scaled_dot_product_attention(
                queries_BHTK,
                keys_BGSK,
                values_BGSK,
                attn_mask=mask,
                is_causal=is_causal,
                dropout_p=dropout,
                enable_gqa=self.is_grouped,
            ).to(dtype)
        y_BTD: torch.Tensor = self.output(y_BHTK.transpose(1, 2).flatten(2))
        return y_BTD


def _is_slow_backward(queries_BHTK: torch.Tensor) -> bool:
    """Whether torch goes back through attention in this type more slowly than in float32.

    In bfloat16 on a CPU it does: at 64 positions by three to five times, not any more at 256 (torch 2.13).
    """
    is_bfloat16_on_cpu = queries_BHTK.dtype == torch.bfloat16 and queries_BHTK.device.type == "cpu"
    return is_bfloat16_on_cpu and queries_BHTK.requires_grad and queries_BHTK.shape[2] < _SLOW_BELOW
