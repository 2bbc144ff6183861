"""The running mean of weights is that of its formula."""

from __future__ import annotations

import pytest
import torch

from textpipe.training.averaging import RunningMean


@pytest.mark.parametrize("decay", [0.3, 0.9])
def test_a_running_mean_forgets_the_first_weights_soon_and_is_put_in_place_for_a_while(decay):
    model = torch.nn.Linear(2, 1, bias=False)
    mean, expected = RunningMean(model, decay), model.weight.detach().double().clone()
    for step in range(1, 30):
        with torch.no_grad():
            model.weight.fill_(float(step))
        mean.update(model, step)
        memory = min(decay, (1 + step) / (10 + step))
        expected = memory * expected + (1 - memory) * step
    torch.testing.assert_close(mean.weights["weight"].double(), expected, rtol=1e-6, atol=0)
    with mean.in_place(model):
        assert torch.equal(model.weight, mean.weights["weight"])
    assert model.weight.tolist() == [[29.0, 29.0]]
