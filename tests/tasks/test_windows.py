"""Batches of windows: a function of (seed, step), whole and padded by length alone."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from textpipe.data.batches import IGNORED
from textpipe.tasks.windows import Window, WindowPlan, in_order_of_length, to_batch


def windows(lengths, *, by_position=False):
    made = []
    for number, length in enumerate(lengths):
        target = np.arange(length) % 3 if by_position else np.array(number)
        offsets = np.zeros((length, 2), dtype=np.int32)
        ids = np.arange(1, length + 1, dtype=np.int32) + number
        made.append(Window(ids, min(2, length), number, offsets, target, by_position))
    return made


@given(st.lists(st.integers(1, 9), min_size=1, max_size=70), st.integers(1, 8), st.integers(0, 3))
def test_every_window_is_read_once_an_epoch_and_any_step_can_be_asked_for(lengths, size, seed):
    plan = WindowPlan(windows(lengths), batch_size=size, seed=seed)
    each = plan.steps_per_epoch
    for epoch in (0, 1):
        seen = [number for step in range(each) for number in plan.numbers(epoch * each + step).tolist()]
        assert sorted(seen) == list(range(len(lengths)))
    again = WindowPlan(windows(lengths), batch_size=size, seed=seed)
    last = 2 * each - 1
    assert again.numbers(last).tolist() == plan.numbers(last).tolist()
    assert again.numbers(0).tolist() == WindowPlan(windows(lengths), batch_size=size, seed=seed).numbers(0).tolist()


def test_epochs_and_seeds_have_orders_of_their_own():
    plan, other = (WindowPlan(windows([5] * 64), batch_size=64, seed=seed) for seed in (0, 1))
    orders = [plan.numbers(0).tolist(), plan.numbers(1).tolist(), other.numbers(0).tolist()]
    assert all(one != another for one, another in pairwise([*orders, orders[0]]))


def test_windows_of_a_step_are_of_like_length():
    lengths = [1 + number % 50 for number in range(800)]
    plan = WindowPlan(windows(lengths), batch_size=8, seed=0)
    spread = [np.ptp([lengths[number] for number in plan.numbers(step)]) for step in range(plan.steps_per_epoch)]
    assert np.mean(spread) < 3


@pytest.mark.parametrize("by_position", [False, True])
def test_parts_of_a_batch_are_the_batch_padded_to_their_own_longest(by_position):
    batch = to_batch(windows([2, 3, 7, 4], by_position=by_position), [4, 5, 6, 7])
    assert batch.tokens_BT.shape == (4, 7)
    assert batch.num_targets == (16 if by_position else 4)
    parts = list(batch.split(2))
    assert [part.tokens_BT.shape for part in parts] == [(2, 3), (2, 7)]
    assert [part.samples for part in parts] == [(4, 5), (6, 7)]
    assert sum(part.num_targets for part in parts) == batch.num_targets
    for part, rows in zip(parts, (slice(0, 2), slice(2, 4)), strict=True):
        longest = part.tokens_BT.shape[1]
        assert torch.equal(part.tokens_BT, batch.tokens_BT[rows, :longest])
        assert torch.equal(part.segments_BT, batch.segments_BT[rows, :longest])
        assert torch.equal(part.targets, batch.targets[rows, :longest] if by_position else batch.targets[rows])


def test_what_is_past_a_window_is_padding_of_the_first_segment_and_no_target():
    batch = to_batch(windows([2, 4], by_position=True))
    assert batch.tokens_BT.tolist() == [[1, 2, 0, 0], [2, 3, 4, 5]]
    assert batch.segments_BT.tolist() == [[0, 0, 0, 0], [0, 0, 1, 1]]
    assert batch.targets.tolist() == [[0, 1, IGNORED, IGNORED], [0, 1, 2, 0]]


def test_evaluation_reads_every_window_once_those_of_like_length_together():
    found = list(in_order_of_length(windows([5, 1, 3, 2, 4]), 2))
    assert [numbers for numbers, _ in found] == [[1, 3], [2, 4], [0]]
    assert all(batch.lengths_B.tolist() == [[5, 1, 3, 2, 4][n] for n in numbers] for numbers, batch in found)
