"""Plans of pairs: every pair once an epoch, any step at once, full batches, nothing left over."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textpipe.data.pair_plans import PairPlan, _cut, _rounded
from textpipe.errors import ConfigError, InputError


class Lengths:
    """Pairs of which nothing but lengths is known; a batch is its numbers."""

    def __init__(self, lengths):
        self.num_pairs, self._lengths = len(lengths), np.array(lengths, dtype=np.int64)

    def lengths(self):
        return self._lengths

    def batch(self, numbers, *, begin):
        return numbers


LENGTHS = (3 + np.random.default_rng(4).geometric(0.06, 700)).clip(max=64)
lengths_and_budgets = st.integers(1, 60).flatmap(
    lambda most: st.tuples(st.lists(st.integers(1, most), min_size=1, max_size=120), st.integers(most, 4 * most + 8))
)


def plan_of(lengths=LENGTHS, **changes):
    return PairPlan(Lengths(lengths), **{"batch_tokens": 400, "context": 64, "seed": 5, "begin": 0, **changes})


def epoch_of(plan, epoch=0):
    return [plan.numbers(step) for step in range(epoch * plan.steps_per_epoch, (epoch + 1) * plan.steps_per_epoch)]


@given(lengths_and_budgets, st.integers(0, 9))
def test_every_epoch_holds_every_pair_once_within_the_budget(drawn, seed):
    lengths, budget = drawn
    plan = plan_of(lengths, batch_tokens=budget, context=max(lengths), seed=seed)
    for epoch in (0, 1000):
        batches = epoch_of(plan, epoch)
        assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))
        assert all(len(batch) * max(lengths[number] for number in batch) <= budget for batch in batches)


@given(lengths_and_budgets)
def test_batches_are_full_but_for_two_that_share_what_is_left_over(drawn):
    lengths, budget = drawn
    rounded = _rounded(np.array(lengths))
    classes = np.array([max(np.array(lengths)[rounded == each]) for each in rounded])
    batches = epoch_of(plan_of(lengths, batch_tokens=budget, context=max(lengths)))
    batches.sort(key=lambda batch: (classes[batch].max(), classes[batch].min(), -len(batch)))
    tokens = [len(batch) * classes[batch].max() for batch in batches]
    for batch, after in pairwise(batches[:-1]):
        assert (len(batch) + 1) * classes[after].min() > budget
    left = np.sort(classes[np.concatenate(batches[-2:])])
    if len(batches) > 1:
        assert min(tokens[-2:]) == max(shares_of(left, budget))


def shares_of(left, budget):
    """The tokens of the smaller of two batches, for each way to make two of these pairs."""
    for cut in range(1, len(left)):
        first, second = cut * left[cut - 1], (len(left) - cut) * left[-1]
        if max(first, second) <= budget:
            yield min(first, second)


@given(st.integers(1, 40), st.integers(1, 200), st.integers(1, 1000))
def test_pairs_of_one_length_leave_no_batch_under_half_but_for_a_pair(length, count, budget):
    budget = max(budget, length)
    tokens = [len(batch) * length for batch in epoch_of(plan_of([length] * count, batch_tokens=budget, context=length))]
    assert len(tokens) == -(-count // (budget // length))
    assert len(tokens) == 1 or 2 * min(tokens) > budget - length


def test_batches_and_their_order_differ_from_epoch_to_epoch():
    plan = plan_of()
    first, second = ([batch.tolist() for batch in epoch_of(plan, epoch)] for epoch in (0, 1))
    assert plan.steps_per_epoch == len(first) > 20
    assert [len(batch) for batch in first] != [len(batch) for batch in second]
    same = {tuple(sorted(batch)) for batch in first} & {tuple(sorted(batch)) for batch in second}
    assert len(same) < len(first) / 8  # such as a class of lengths that is one batch


def test_a_batch_depends_on_seed_and_step_alone():
    forwards = [plan.numbers(step).tolist() for plan in [plan_of()] for step in range(80)]
    for step in (79, 3, 50, 0):
        assert plan_of().numbers(step).tolist() == forwards[step]
    plan = plan_of()
    assert [plan.numbers(step).tolist() for step in reversed(range(80))] == forwards[::-1]
    assert [plan_of(seed=6).numbers(step).tolist() for step in range(80)] != forwards


def test_a_step_of_a_late_epoch_asks_for_the_lengths_no_more():
    split = Lengths(LENGTHS)
    plan = PairPlan(split, batch_tokens=400, context=64, seed=5, begin=0)
    del split._lengths
    late = plan.steps_per_epoch * 10**9
    assert sorted(np.concatenate([plan.numbers(late + n) for n in range(plan.steps_per_epoch)])) == list(range(700))


def test_pairs_longer_than_the_context_are_left_out_and_counted():
    limit = int(np.median(LENGTHS))
    plan = plan_of(context=limit)
    assert plan.num_too_long == int((limit < LENGTHS).sum()) > 0
    assert sorted(np.concatenate(epoch_of(plan))) == np.flatnonzero(limit >= LENGTHS).tolist()
    with pytest.raises(InputError, match="all 700 pairs are longer than 2 tokens"):
        plan_of(context=2)
    with pytest.raises(ConfigError, match="less than one pair of 64 tokens"):
        plan_of(batch_tokens=10)


def test_evaluation_reads_every_pair_once_by_length():
    batches = list(plan_of(batch_tokens=200).consecutive())
    numbers = np.concatenate(batches)
    assert sorted(numbers) == list(range(700))
    assert (np.diff(LENGTHS[numbers]) >= 0).all()
    assert all(len(batch) * LENGTHS[batch].max() <= 200 for batch in batches)


@given(st.integers(1, 1 << 20))
def test_a_class_of_lengths_is_an_eighth_wide_at_most(length):
    (rounded,) = _rounded(np.array([length])).tolist()
    digits = (length - 1).bit_length()
    step = 1 << max(0, digits - 4)
    assert rounded == -(-length // step) * step
    assert length <= rounded < length * 9 / 8 + 1e-9 or rounded == length


def cut_one_by_one(lengths, batch_tokens):
    """How many pairs of rising length go to each batch, asked of one pair after the other."""
    sizes, size = [], 0
    for length in lengths:
        if size and (size + 1) * length > batch_tokens:
            sizes.append(size)
            size = 0
        size += 1
    return [*sizes, size] if size else sizes


@given(st.lists(st.integers(1, 40), max_size=300).map(sorted), st.integers(1, 200))
def test_batches_are_cut_as_one_pair_after_the_other_would_be(lengths, batch_tokens):
    bounds = _cut(np.array(lengths, dtype=np.int64), batch_tokens)
    assert bounds[0] == 0
    assert np.diff(bounds).tolist() == cut_one_by_one(lengths, batch_tokens)
