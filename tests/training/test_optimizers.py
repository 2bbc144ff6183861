"""Which weights decay: matrices and embeddings do, biases and norms do not, whoever moves them."""

from __future__ import annotations

import pytest
import torch

from textpipe.nn.gpt import GPT
from textpipe.nn.shapes import GptConfig
from textpipe.training.optimizers import Optimizer
from textpipe.training.run_config import TrainConfig


@pytest.mark.parametrize("name", ["adamw", "muon"])
def test_matrices_and_embeddings_decay_and_biases_and_norms_do_not(name):
    model = GPT(GptConfig(vocab_size=20, context=4, layers=1, heads=2, width=8))
    optimizer = Optimizer(model, TrainConfig(optimizer=name, weight_decay=0.5, learning_rate=0.1))
    before = {}
    with torch.no_grad():
        for key, weight in model.named_parameters():
            before[key] = weight.fill_(1.0).clone()
            weight.grad = torch.zeros_like(weight)  # without a gradient only decay moves
    for part in optimizer.parts:
        part.step()
    for key, weight in model.named_parameters():
        expected = before[key] * (1 - 0.1 * 0.5 if weight.dim() >= 2 else 1.0)
        torch.testing.assert_close(weight.detach(), expected, rtol=1e-6, atol=0, msg=key)
