"""A GPT as one writes it first: what our own is compared with, in speed and in how well it learns.

What enters: a shape, whether layers have biases, and the kind of gelu. What leaves: a loss. One module a part, all
logits at once, torch's own cross-entropy; the weights begin as GPT-2's.

Axes: B sequence, T position, D width, V vocabulary.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

from textpipe.nn.shapes import GptConfig

__all__ = ["PlainGpt"]


class _Block(nn.Module):
    def __init__(self, config: GptConfig, gelu: str) -> None:
        super().__init__()
        width, bias = config.width, config.has_bias
        self.heads, self.gelu = config.heads, gelu
        self.norms = nn.ModuleList(nn.LayerNorm(width, bias=bias) for _ in range(2))
        self.qkv, self.out = nn.Linear(width, 3 * width, bias=bias), nn.Linear(width, width, bias=bias)
        self.up, self.down = nn.Linear(width, 4 * width, bias=bias), nn.Linear(4 * width, width, bias=bias)

    def forward(self, x_BTD: torch.Tensor) -> torch.Tensor:
        batch, length, width = x_BTD.shape
        parts = self.qkv(self.norms[0](x_BTD)).split(width, dim=2)
        q, k, v = (part.view(batch, length, self.heads, -1).transpose(1, 2) for part in parts)
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x_BTD = x_BTD + self.out(y.transpose(1, 2).contiguous().view(batch, length, width))
        return x_BTD + self.down(functional.gelu(self.up(self.norms[1](x_BTD)), approximate=self.gelu))


class PlainGpt(nn.Module):
    """The model; ``gelu`` is torch's name of its form, ``tanh`` or ``none``. Weights are drawn by torch's generator."""

    def __init__(self, config: GptConfig, *, gelu: str = "tanh") -> None:
        super().__init__()
        self.tokens = nn.Embedding(config.vocab_size, config.width)
        self.places = nn.Embedding(config.context, config.width)
        self.blocks = nn.ModuleList(_Block(config, gelu) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width, bias=config.has_bias)
        for name, weight in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(weight)
            elif weight.dim() == 2:
                adds_to_stream = name.endswith(("out.weight", "down.weight"))
                nn.init.normal_(weight, 0.0, 0.02 / math.sqrt(2 * config.layers) if adds_to_stream else 0.02)

    def forward(self, tokens_BT: torch.Tensor, targets_BT: torch.Tensor) -> torch.Tensor:
        """Mean cross-entropy in nats; targets of -1 do not count."""
        x_BTD = self.tokens(tokens_BT) + self.places(torch.arange(tokens_BT.shape[1]))
        for block in self.blocks:
            x_BTD = block(x_BTD)
        logits_BTV = self.norm(x_BTD) @ self.tokens.weight.T
        return functional.cross_entropy(logits_BTV.flatten(0, 1), targets_BT.flatten(), ignore_index=-1)
