"""Filters equal transformers' processors exactly; draws follow the seed and the probabilities."""

from __future__ import annotations

import math

import pytest
import torch

from textpipe.errors import ConfigError
from textpipe.generation.sampling import (
    SamplingConfig,
    block_ngrams,
    choose,
    filter_logits,
    keep_min_p,
    keep_top_k,
    keep_top_p,
    penalize_repetition,
)

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


@pytest.mark.parametrize("p", [1e-6, 0.05, 0.5, 1.0])
def test_min_p_equals_transformers(p):
    assert torch.equal(keep_min_p(logits(), p), logits_process.MinPLogitsWarper(p)(None, logits()))


WRITTEN = [[5, 7, 5, 7, 9], [1, 1, 1, 1, 1], [3, 4, 5, 3, 4], [96, 0, 96, 0, 95], [2, 3, 4, 5, 6]]


@pytest.mark.parametrize("penalty", [0.5, 1.0, 1.3, 10.0])
def test_repetition_penalty_equals_transformers(penalty):
    theirs = logits_process.RepetitionPenaltyLogitsProcessor(penalty)(torch.tensor(WRITTEN), logits())
    assert torch.equal(penalize_repetition(logits(), WRITTEN, penalty), theirs)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 6])
def test_blocked_ngrams_equal_transformers(size):
    theirs = logits_process.NoRepeatNGramLogitsProcessor(size)(torch.tensor(WRITTEN), logits())
    assert torch.equal(block_ngrams(logits(), WRITTEN, size), theirs)


def test_a_greedy_choice_obeys_the_penalties():
    config = SamplingConfig(temperature=0.0, no_repeat_ngram=1)
    best = logits().argmax(dim=-1)
    found = choose(logits(), config, generators(5), [[int(row)] for row in best])
    assert (found != best).all()


@pytest.mark.parametrize("temperature", [0.05, 0.7, 1.0, 3.0])
@pytest.mark.parametrize("k", [0, 3, 40])
@pytest.mark.parametrize("p", [0.3, 0.95, 1.0])
@pytest.mark.parametrize("min_p", [0.0, 0.2])
def test_all_filters_together_equal_transformers_own_chain(temperature, k, p, min_p):
    chain = logits_process.LogitsProcessorList()
    chain.append(logits_process.RepetitionPenaltyLogitsProcessor(1.2))
    chain.append(logits_process.NoRepeatNGramLogitsProcessor(2))
    if temperature != 1.0:
        chain.append(logits_process.TemperatureLogitsWarper(temperature))
    if k:
        chain.append(logits_process.TopKLogitsWarper(k))
    if p < 1.0:
        chain.append(logits_process.TopPLogitsWarper(p))
    if min_p:
        chain.append(logits_process.MinPLogitsWarper(min_p))
    config = SamplingConfig(
        temperature=temperature, top_k=k, top_p=p, min_p=min_p, repetition_penalty=1.2, no_repeat_ngram=2
    )
    assert torch.equal(filter_logits(logits(1), config, WRITTEN), chain(torch.tensor(WRITTEN), logits(1)))


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
