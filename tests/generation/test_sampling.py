"""Filters equal transformers' processors exactly; draws follow the seed and the probabilities."""

from __future__ import annotations

import math

import pytest
import torch

from textpipe.errors import ConfigError
from textpipe.generation.sampling import SamplingConfig, choose, filter_logits, keep_top_k, keep_top_p

transformers = pytest.importorskip("transformers")
from transformers.generation import logits_process  # noqa: E402


def logits(seed=0, rows=5, size=97):
    values = torch.randn(rows, size, generator=torch.Generator().manual_seed(seed)) * 3
    values[:, 10:14] = values[:, 9:10]  # ties
    return values


@pytest.mark.parametrize("k", [1, 2, 5, 12, 96, 97, 500])
def test_top_k_equals_transformers(k):
    assert torch.equal(keep_top_k(logits(), k), logits_process.TopKLogitsWarper(k)(None, logits()))


@pytest.mark.parametrize("p", [1e-6, 0.1, 0.5, 0.9, 0.999999])
def test_top_p_equals_transformers(p):
    assert torch.equal(keep_top_p(logits(), p), logits_process.TopPLogitsWarper(p)(None, logits()))


@pytest.mark.parametrize("temperature", [0.05, 0.7, 1.0, 3.0])
@pytest.mark.parametrize("k", [0, 3, 40])
@pytest.mark.parametrize("p", [0.3, 0.95, 1.0])
def test_all_filters_together_equal_transformers_own_chain(temperature, k, p):
    chain = logits_process.LogitsProcessorList()
    if temperature != 1.0:
        chain.append(logits_process.TemperatureLogitsWarper(temperature))
    if k:
        chain.append(logits_process.TopKLogitsWarper(k))
    if p < 1.0:
        chain.append(logits_process.TopPLogitsWarper(p))
    ours = filter_logits(logits(1), SamplingConfig(temperature=temperature, top_k=k, top_p=p))
    assert torch.equal(ours, chain(None, logits(1)))


def generators(rows, seed=0):
    return [torch.Generator().manual_seed(seed + row) for row in range(rows)]


def test_temperature_zero_takes_the_likeliest():
    assert torch.equal(choose(logits(), SamplingConfig(temperature=0.0), generators(5)), logits().argmax(dim=-1))


def test_a_row_draws_the_same_alone_and_with_others():
    config = SamplingConfig()
    together = choose(logits(), config, generators(5))
    alone = [choose(logits()[row : row + 1], config, [generators(5)[row]]) for row in range(5)]
    assert together.tolist() == [int(found) for found in alone]


def test_what_is_filtered_is_never_drawn():
    config = SamplingConfig(top_k=3)
    allowed = torch.isfinite(keep_top_k(logits(), 3))
    one = generators(5)
    for _ in range(50):
        drawn = choose(logits(), config, one)
        assert all(allowed[row, drawn[row]] for row in range(5))


def test_draws_follow_the_probabilities():
    probabilities = torch.tensor([0.5, 0.3, 0.2])
    one = generators(1)
    drawn = [int(choose(probabilities.log()[None], SamplingConfig(), one)) for _ in range(2000)]
    for value, share in enumerate(probabilities.tolist()):
        assert abs(drawn.count(value) / 2000 - share) < 4 * math.sqrt(share * (1 - share) / 2000)


@pytest.mark.parametrize(
    "wrong", [{"temperature": -1}, {"top_p": 0}, {"top_p": 1.5}, {"top_k": -1}, {"max_tokens": -1}]
)
def test_a_setting_out_of_range_is_refused_by_name(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        SamplingConfig(**wrong)
