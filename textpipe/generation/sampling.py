"""From logits to the next id: temperature, top-k, top-p.

What enters: logits of the next token. What leaves: filtered logits (−inf at what may not come), or an id. The filters
give exactly what ``transformers``' logits processors give, in the same order: temperature, top-k, top-p.

Axes: B sequence, V vocabulary.
"""

from __future__ import annotations

import math

import torch

from textpipe.config import Config, Field

__all__ = ["SamplingConfig", "choose", "filter_logits", "keep_top_k", "keep_top_p"]


class SamplingConfig(Config):
    """How the next token is chosen, and when to stop."""

    max_tokens: int = Field(100, ge=0, description="most tokens written")
    temperature: float = Field(1.0, ge=0.0, le=100.0, description="1 as trained, lower is safer, 0 takes the likeliest")
    top_k: int = Field(0, ge=0, description="only the k likeliest tokens; 0 is all")
    top_p: float = Field(1.0, gt=0.0, le=1.0, description="only the likeliest tokens that together reach this share")
    seed: int = Field(0, ge=0, description="the same seed writes the same text")


def keep_top_k(logits_BV: torch.Tensor, k: int) -> torch.Tensor:
    """Leave the ``k`` highest of each row (and what equals the lowest of them); −inf elsewhere."""
    lowest_B1 = torch.topk(logits_BV, min(k, logits_BV.shape[-1]))[0][..., -1, None]
    return logits_BV.masked_fill(logits_BV < lowest_B1, -math.inf)


def keep_top_p(logits_BV: torch.Tensor, p: float) -> torch.Tensor:
    """Leave the fewest tokens of each row whose probabilities reach ``p`` together (Holtzman et al. 2019)."""
    ordered_BV, order_BV = torch.sort(logits_BV, descending=False)
    unlikely_BV = ordered_BV.softmax(dim=-1).cumsum(dim=-1) <= 1 - p
    unlikely_BV[..., -1] = False  # the likeliest always stays
    return logits_BV.masked_fill(unlikely_BV.scatter(-1, order_BV, unlikely_BV), -math.inf)


def filter_logits(logits_BV: torch.Tensor, config: SamplingConfig) -> torch.Tensor:
    """Apply temperature, then top-k, then top-p, each only when it is set."""
    if config.temperature not in (0.0, 1.0):
        logits_BV = logits_BV / config.temperature
    if config.top_k:
        logits_BV = keep_top_k(logits_BV, config.top_k)
    if config.top_p < 1.0:
        logits_BV = keep_top_p(logits_BV, config.top_p)
    return logits_BV


def choose(logits_BV: torch.Tensor, config: SamplingConfig, generators: list[torch.Generator]) -> torch.Tensor:
    """The next id of each row; row b draws from ``generators[b]``, so that no row's text depends on the others."""
    if config.temperature == 0.0:
        return logits_BV.argmax(dim=-1)
    probabilities_BV = filter_logits(logits_BV.float().cpu(), config).softmax(dim=-1)
    drawn = [
        torch.multinomial(row_V, 1, generator=generator)
        for row_V, generator in zip(probabilities_BV, generators, strict=True)
    ]
    return torch.cat(drawn).to(logits_BV.device)
