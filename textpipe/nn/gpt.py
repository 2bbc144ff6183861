"""GPT: a decoder-only Transformer language model (GPT-2 and GPT-3's layout: normalise first, learned positions).

What enters: token ids. What leaves: hidden states, and from them logits over the vocabulary; the matrix that turns
hidden states into logits is the embedding matrix itself. With the same weights, logits, loss and every gradient agree
with ``transformers``' ``GPT2LMHeadModel``. Nothing here knows files, optimisers or data.

Axes: B sequence, T position, D model width, V vocabulary.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

from textpipe.nn.attention import CausalAttention, KeyValueCache, document_mask
from textpipe.nn.shapes import GptConfig

__all__ = ["GPT", "GptConfig"]


class FeedForward(nn.Module):
    """Two linear layers with GELU between, four times as wide inside."""

    def __init__(self, config: GptConfig) -> None:
        super().__init__()
        self.up = nn.Linear(config.width, 4 * config.width, bias=config.bias)
        self.down = nn.Linear(4 * config.width, config.width, bias=config.bias)

    def forward(self, x_BTD: torch.Tensor) -> torch.Tensor:
        y_BTD: torch.Tensor = self.down(functional.gelu(self.up(x_BTD), approximate="tanh"))
        return y_BTD


class Block(nn.Module):
    """Attention, then feed-forward; each reads a normalised copy and adds to the stream."""

    def __init__(self, config: GptConfig) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(config.width, eps=config.norm_epsilon, bias=config.bias)
        self.attention = CausalAttention(config.width, config.heads, dropout=config.dropout, bias=config.bias)
        self.feed_forward_norm = nn.LayerNorm(config.width, eps=config.norm_epsilon, bias=config.bias)
        self.feed_forward = FeedForward(config)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self, x_BTD: torch.Tensor, mask: torch.Tensor | None, cache: KeyValueCache | None, layer: int
    ) -> torch.Tensor:
        x_BTD = x_BTD + self.dropout(self.attention(self.attention_norm(x_BTD), mask, cache, layer))
        added_BTD: torch.Tensor = self.dropout(self.feed_forward(self.feed_forward_norm(x_BTD)))
        return x_BTD + added_BTD


class GPT(nn.Module):
    """The language model.

    Parameters
    ----------
    config : its shape.
    seed : of the first weights: the same seed gives the same model.

    Examples
    --------
    >>> model = GPT(GptConfig(vocab_size=100, context=8, layers=1, heads=2, width=16), seed=0)
    >>> model.logits(model(torch.tensor([[1, 2, 3]]))).shape
    torch.Size([1, 3, 100])
    """

    def __init__(self, config: GptConfig, *, seed: int = 0) -> None:
        super().__init__()
        self.config = config
        self.token_embedding = nn.Embedding(config.vocab_size, config.width)
        self.position_embedding = nn.Embedding(config.context, config.width)
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.final_norm = nn.LayerNorm(config.width, eps=config.norm_epsilon, bias=config.bias)
        self._draw_weights(seed)

    @torch.no_grad()
    def _draw_weights(self, seed: int) -> None:
        """GPT-2's start: normal(0, 0.02), zero biases; what adds to the stream scaled by 1/√(2 · layers)."""
        generator = torch.Generator().manual_seed(seed)
        for name, weight in self.named_parameters():
            if name.endswith("bias"):
                weight.zero_()
            elif weight.dim() == 2:
                adds_to_stream = name.endswith(("attention.output.weight", "feed_forward.down.weight"))
                scale = 0.02 / math.sqrt(2 * self.config.layers) if adds_to_stream else 0.02
                weight.normal_(0.0, scale, generator=generator)

    def forward(
        self,
        tokens_BT: torch.Tensor,
        *,
        positions_BT: torch.Tensor | None = None,
        segments_BT: torch.Tensor | None = None,
        cache: KeyValueCache | None = None,
    ) -> torch.Tensor:
        """Hidden states (B, T, D), normalised, from which :meth:`logits` predicts the token after each position.

        Parameters
        ----------
        tokens_BT : ids, at most ``context`` of them a sequence (together with what ``cache`` holds).
        positions_BT : place of each token in its text; 0, 1, 2, … when absent.
        segments_BT : document of each token: attention stays inside a document. Not together with ``cache``.
        cache : keys and values of what was read before; the new ones are added.
        """
        length = tokens_BT.shape[1]
        mask = None
        if cache is not None:
            positions_BT, mask = cache.positions_BT(length), cache.mask(length)
        elif segments_BT is not None:
            mask = document_mask(segments_BT)
        if positions_BT is None:
            positions_BT = torch.arange(length, device=tokens_BT.device)[None]
        x_BTD = self.dropout(self.token_embedding(tokens_BT) + self.position_embedding(positions_BT))
        for layer, block in enumerate(self.blocks):
            x_BTD = block(x_BTD, mask, cache, layer)
        if cache is not None:
            cache.length += length
        normed_BTD: torch.Tensor = self.final_norm(x_BTD)
        return normed_BTD

    @property
    def head_weight(self) -> torch.Tensor:
        """The (V, D) matrix that turns hidden states into logits: the token embedding."""
        weight: torch.Tensor = self.token_embedding.weight
        return weight

    def logits(self, x_BTD: torch.Tensor) -> torch.Tensor:
        """Logits (…, V) of the next token from hidden states (…, D)."""
        return functional.linear(x_BTD, self.head_weight)

    def new_cache(self, batch: int, *, padding: list[int] | None = None) -> KeyValueCache:
        """An empty cache for ``batch`` sequences of up to ``context`` tokens, on the model's device and in its type."""
        return KeyValueCache(
            layers=self.config.layers,
            batch=batch,
            heads=self.config.heads,
            capacity=self.config.context,
            head_width=self.config.width // self.config.heads,
            padding=padding,
            device=self.head_weight.device,
            dtype=self.head_weight.dtype,
        )
