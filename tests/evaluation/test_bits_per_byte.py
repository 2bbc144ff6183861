"""Bits per byte counts every token once, whatever the batch, and agrees with a sum written by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from textpipe.evaluation.bits_per_byte import Score, bits_per_byte, unigram_score
from textpipe.nn.gpt import GPT, GptConfig


@pytest.fixture(scope="module")
def model(small_packed):
    model = GPT(GptConfig(vocab_size=small_packed.vocab_size, context=24, layers=1, heads=2, width=32, dropout=0.3))
    with torch.no_grad():
        model.token_embedding.weight.mul_(8)
    return model


def test_the_sum_is_that_of_every_token_from_the_ones_before_it_in_its_window(model, small_packed):
    split = small_packed.val
    tokens = split.window(0, split.num_tokens).tolist()
    model.eval()
    nats = 0.0
    for start in range(0, len(tokens), 24):
        targets = tokens[start : start + 24]
        read = [tokens[start - 1], *targets[:-1]]
        with torch.no_grad():
            scores = model.logits(model(torch.tensor([read]))[0]).double().log_softmax(dim=-1)
        nats -= sum(scores[place, target].item() for place, target in enumerate(targets))
    score = bits_per_byte(model, split)
    assert score.num_tokens == len(tokens)
    assert score.nats == pytest.approx(nats, rel=1e-6)
    assert score.text_bytes == split.text_bytes
    assert score.bits_per_byte == pytest.approx(nats / math.log(2) / split.text_bytes, rel=1e-6)


@pytest.mark.parametrize("batch_size", [1, 3, 1000])
def test_the_batch_size_changes_nothing(model, small_packed, batch_size):
    score = bits_per_byte(model, small_packed.val, batch_size=batch_size)
    assert score.nats == pytest.approx(bits_per_byte(model, small_packed.val).nats, rel=1e-6)


def test_dropout_is_off_while_scoring_and_on_again_after(model, small_packed):
    model.train()
    first, second = (bits_per_byte(model, small_packed.val) for _ in range(2))
    assert first == second
    assert model.training


def test_a_model_that_knows_nothing_needs_the_logarithm_of_the_vocabulary(small_packed):
    blank = GPT(GptConfig(vocab_size=small_packed.vocab_size, context=16, layers=1, heads=1, width=8))
    with torch.no_grad():
        blank.token_embedding.weight.zero_()
    assert bits_per_byte(blank, small_packed.val).loss == pytest.approx(math.log(small_packed.vocab_size), rel=1e-6)


def test_the_unigram_score_is_the_entropy_of_the_counts(small_packed):
    split = small_packed.val
    tokens = split.window(0, split.num_tokens)
    _, counts = np.unique(tokens, return_counts=True)
    shares = counts / counts.sum()
    assert unigram_score(split).loss == pytest.approx(-(shares * np.log(shares)).sum())
    assert unigram_score(split).num_tokens == split.num_tokens


def test_a_split_without_text_has_no_bits_per_byte():
    assert math.isnan(Score(nats=1.0, num_tokens=3, text_bytes=0).bits_per_byte)
    assert Score(nats=3.0, num_tokens=3, text_bytes=1).perplexity == pytest.approx(math.e)
