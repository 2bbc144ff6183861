"""From logits to the next id: penalties for what was written, then temperature, top-k, top-p, min-p.

What enters: logits of the next token, and the ids written so far. What leaves: filtered logits (−inf at what may not
come), or an id. The filters give exactly what ``transformers``' logits processors give, in the same order: repetition
penalty, blocked n-grams, temperature, top-k, top-p, min-p.

Axes: B sequence, V vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Protocol

import pydantic
import torch

from textpipe.config import Config, Field

__all__ = [
    "SamplingConfig",
    "StopString",
    "block_ngrams",
    "choose",
    "filter_logits",
    "keep_min_p",
    "keep_top_k",
    "keep_top_p",
    "penalize_repetition",
    "penalized",
]


def _not_empty(string: str) -> str:
    if not string:
        raise ValueError("an empty string stands everywhere: it cannot end a text")
    return string


StopString = Annotated[str, pydantic.AfterValidator(_not_empty)]


class Penalties(Protocol):
    """Settings of what was written and is to be less likely."""

    @property
    def repetition_penalty(self) -> float: ...
    @property
    def no_repeat_ngram(self) -> int: ...


class SamplingConfig(Config):
    """How the next token is chosen, and when to stop."""

    max_tokens: int = Field(100, ge=0, description="most tokens written")
    temperature: float = Field(1.0, ge=0.0, le=100.0, description="1 as trained, lower is safer, 0 takes the likeliest")
    top_k: int = Field(0, ge=0, description="only the k likeliest tokens; 0 is all")
    top_p: float = Field(1.0, gt=0.0, le=1.0, description="only the likeliest tokens that together reach this share")
    min_p: float = Field(
        0.0, ge=0.0, le=1.0, description="only tokens with this share of the likeliest one's probability"
    )
    repetition_penalty: float = Field(
        1.0, gt=0.0, le=100.0, description="logits of tokens that were written are divided by it (multiplied, below 0)"
    )
    no_repeat_ngram: int = Field(0, ge=0, description="no run of so many tokens is written twice; 0 allows it")
    stop: tuple[StopString, ...] = Field((), description="strings that end a text; they are no part of it")
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


def keep_min_p(logits_BV: torch.Tensor, p: float) -> torch.Tensor:
    """Leave what is at least ``p`` times as likely as the likeliest (Nguyen et al. 2024); −inf elsewhere."""
    probabilities_BV = logits_BV.softmax(dim=-1)
    return logits_BV.masked_fill(probabilities_BV < p * probabilities_BV.amax(dim=-1, keepdim=True), -math.inf)


def penalize_repetition(logits_BV: torch.Tensor, written: Sequence[Sequence[int]], penalty: float) -> torch.Tensor:
    """Make what each row has written less likely: above 0 divided by ``penalty``, below multiplied (Keskar 2019)."""
    changed_BV = logits_BV.clone()
    for row_V, ids in zip(changed_BV, written, strict=True):
        chosen = torch.tensor(sorted(set(ids)), dtype=torch.long, device=row_V.device)
        found = row_V[chosen]
        row_V[chosen] = torch.where(found < 0, found * penalty, found / penalty)
    return changed_BV


def block_ngrams(logits_BV: torch.Tensor, written: Sequence[Sequence[int]], size: int) -> torch.Tensor:
    """−inf at every id that would end a run of ``size`` ids that the row has written before."""
    changed_BV = logits_BV.clone()
    for row_V, ids in zip(changed_BV, written, strict=True):
        last = tuple(ids[len(ids) - size + 1 :])
        if len(last) == size - 1:
            blocked = [
                ids[at + size - 1] for at in range(len(ids) - size + 1) if tuple(ids[at : at + size - 1]) == last
            ]
            row_V[blocked] = -math.inf
    return changed_BV


def filter_logits(
    logits_BV: torch.Tensor, config: SamplingConfig, written: Sequence[Sequence[int]] = ()
) -> torch.Tensor:
    """Apply what is set, in the order named at the top; ``written`` are each row's ids, its prompt among them."""
    logits_BV = penalized(logits_BV, config, written)
    if config.temperature not in (0.0, 1.0):
        logits_BV = logits_BV / config.temperature
    if config.top_k:
        logits_BV = keep_top_k(logits_BV, config.top_k)
    if config.top_p < 1.0:
        logits_BV = keep_top_p(logits_BV, config.top_p)
    if config.min_p > 0.0:
        logits_BV = keep_min_p(logits_BV, config.min_p)
    return logits_BV


def penalized(logits_BV: torch.Tensor, config: Penalties, written: Sequence[Sequence[int]]) -> torch.Tensor:
    """The part of :func:`filter_logits` that depends on what was written: all that also a greedy choice obeys."""
    if config.repetition_penalty != 1.0:
        logits_BV = penalize_repetition(logits_BV, written, config.repetition_penalty)
    if config.no_repeat_ngram:
        logits_BV = block_ngrams(logits_BV, written, config.no_repeat_ngram)
    return logits_BV


def choose(
    logits_BV: torch.Tensor,
    config: SamplingConfig,
    generators: list[torch.Generator],
    written: Sequence[Sequence[int]] = (),
) -> torch.Tensor:
    """The next id of each row; row b draws from ``generators[b]``, so that no row's text depends on the others."""
    if config.temperature == 0.0:
        return penalized(logits_BV, config, written).argmax(dim=-1)
    probabilities_BV = filter_logits(logits_BV.float().cpu(), config, written).softmax(dim=-1)
    drawn = [
        torch.multinomial(row_V, 1, generator=generator)
        for row_V, generator in zip(probabilities_BV, generators, strict=True)
    ]
    return torch.cat(drawn).to(logits_BV.device)
