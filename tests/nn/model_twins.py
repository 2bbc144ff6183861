"""A model of transformers and ours with the same weights."""

from __future__ import annotations

import torch

from textpipe.interchange.names import from_theirs, pairs, to_theirs

# Gradients are sums of many products: one part in a million of the largest, as of the loss itself.
TOLERANCE = 1e-6


def twins_of(theirs, ours):
    """Both with the same weights, every number random, biases and norms too; fails when a parameter is left out."""
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for name, weight in ours.named_parameters():
            weight.normal_(1.0 if "norm.weight" in name else 0.0, 0.08, generator=generator)
        their_weights = {name: weight for name, weight in theirs.named_parameters() if weight.requires_grad}
        made = to_theirs(ours.config, dict(ours.named_parameters()))
        assert made.keys() == their_weights.keys()
        for name, weight in their_weights.items():
            weight.copy_(made[name])
    named = [name for pair in pairs(ours.config) for name in pair.ours]
    assert sorted(named) == sorted(name for name, _ in ours.named_parameters())
    return theirs.eval(), ours.eval()


def assert_same_gradients(theirs, ours):
    """Every gradient of the one equals that of the other."""
    shapes = {name: weight.shape for name, weight in ours.named_parameters()}
    gradients = {name: weight.grad for name, weight in theirs.named_parameters() if weight.requires_grad}
    expected = from_theirs(ours.config, gradients, shapes)
    for name, weight in ours.named_parameters():
        difference = (expected[name] - weight.grad).abs().max().item()
        assert difference <= TOLERANCE * max(1.0, weight.grad.abs().max().item()), name
