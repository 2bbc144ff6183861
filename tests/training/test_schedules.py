"""Learning rates equal transformers' to the bit, and depend on the step alone."""

from __future__ import annotations

import pytest
import torch

from textpipe.training.schedules import SCHEDULES, constant, cosine, inverse_sqrt, linear, wsd

transformers = pytest.importorskip("transformers")


def theirs(make, steps, **settings):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    schedule = make(optimizer, **settings)
    for _ in range(steps + 1):
        yield schedule.get_last_lr()[0]
        optimizer.step()
        schedule.step()


@pytest.mark.parametrize(("warmup", "steps"), [(0, 10), (1, 1), (7, 50), (100, 1000), (13, 13)])
def test_schedules_equal_transformers(warmup, steps):
    settings = {"num_warmup_steps": warmup, "num_training_steps": steps}
    kinds = [
        (cosine, transformers.get_cosine_schedule_with_warmup, settings, 0.0),
        (cosine, transformers.get_cosine_with_min_lr_schedule_with_warmup, {**settings, "min_lr_rate": 0.1}, 0.1),
        (linear, transformers.get_linear_schedule_with_warmup, settings, 0.0),
        (inverse_sqrt, transformers.get_inverse_sqrt_schedule, {"num_warmup_steps": warmup}, 0.0),
        (constant, transformers.get_constant_schedule_with_warmup, {"num_warmup_steps": warmup}, 0.0),
    ]
    for ours, make, arguments, floor in kinds:
        expected = list(theirs(make, steps, **arguments))
        assert [ours(step, warmup_steps=warmup, steps=steps, floor=floor) for step in range(steps + 1)] == expected


@pytest.mark.parametrize("floor", [0.0, 0.1])
@pytest.mark.parametrize(("warmup", "steps"), [(0, 10), (7, 50), (100, 1000), (13, 17)])
def test_wsd_equals_transformers(warmup, steps, floor):
    settings = {"num_warmup_steps": warmup, "num_decay_steps": steps // 5, "num_training_steps": steps}
    make = transformers.get_wsd_schedule
    expected = list(theirs(make, steps, **settings, decay_type="linear", min_lr_ratio=floor))
    assert [wsd(step, warmup_steps=warmup, steps=steps, floor=floor) for step in range(steps + 1)] == expected


@pytest.mark.parametrize("name", sorted(SCHEDULES))
def test_a_schedule_stays_between_nothing_and_the_peak(name):
    factors = [SCHEDULES[name](step, warmup_steps=5, steps=40, floor=0.1) for step in range(1, 41)]
    assert 0.0 < min(factors) <= max(factors) <= 1.0
