"""A batch is a function of (seed, step); ranks share it; documents meet as promised."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from textpipe.data.batches import IGNORED, BatchPlan, consecutive_batches
from textpipe.errors import ConfigError, InputError


class Ring:
    """A split of documents of the given lengths in memory; token i is i, each document's last is its eos."""

    def __init__(self, lengths):
        self.num_tokens = sum(lengths)
        self.owners = np.repeat(np.arange(len(lengths)), lengths)

        class shard:
            path = "ring"

        self.shards = [shard]

    def window(self, start, length):
        return (np.arange(start, start + length) % self.num_tokens).astype(np.int64)

    def documents_of(self, start, length):
        return self.owners[self.window(start, length)]


def plan(lengths=(50, 7, 1, 42), batch_size=4, context=8, seed=0, **more):
    return BatchPlan(Ring(lengths), batch_size=batch_size, context=context, seed=seed, **more)


@given(seed=st.integers(0, 2**32), steps=st.lists(st.integers(0, 10**6), min_size=1, max_size=5))
@settings(deadline=None)
def test_a_batch_is_the_same_whenever_it_is_asked_for(seed, steps):
    first = {step: plan(seed=seed).batch(step).tokens_BT for step in steps}
    other = plan(seed=seed)
    for step in reversed(steps):
        assert torch.equal(other.batch(step).tokens_BT, first[step])


@given(seed=st.integers(0, 2**32), step=st.integers(0, 10**6), world=st.sampled_from([1, 2, 3, 4, 6, 12]))
@settings(deadline=None)
def test_ranks_together_read_the_same_batch_in_the_same_order(seed, step, world):
    whole = plan(batch_size=12, seed=seed).batch(step)
    shares = [plan(batch_size=12, seed=seed).batch(step, rank=rank, world=world) for rank in range(world)]
    assert torch.equal(torch.cat([share.tokens_BT for share in shares]), whole.tokens_BT)
    assert sum((share.samples for share in shares), ()) == whole.samples


def test_ranks_that_do_not_divide_the_batch_are_refused():
    with pytest.raises(ConfigError, match="4 sequences a step cannot be shared evenly by 3 ranks"):
        plan().batch(0, world=3)


@pytest.mark.parametrize("lengths", [(100,), (97,), (8,), (50, 7, 1, 42)])
def test_an_epoch_predicts_every_token_at_least_once_and_none_twice_but_for_the_rest(lengths):
    one = plan(lengths, batch_size=1)
    seen = np.concatenate([one.batch(step).targets_BT.numpy().ravel() for step in range(one.windows_per_epoch)])
    counts = np.bincount(seen, minlength=sum(lengths))
    assert counts.min() == 1
    assert counts.sum() - sum(lengths) == -sum(lengths) % 8


def test_epochs_differ_in_order_and_in_where_windows_begin():
    one = plan((997,), batch_size=1)
    epochs = [
        [int(one.batch(epoch * one.windows_per_epoch + n).tokens_BT[0, 0]) for n in range(one.windows_per_epoch)]
        for epoch in range(2)
    ]
    assert epochs[0] != epochs[1]
    assert sorted(epochs[0]) != sorted(epochs[1])


def test_a_target_is_the_token_after_the_one_read():
    batch = plan().batch(3)
    assert torch.equal(batch.targets_BT, (batch.tokens_BT + 1) % 100)


def test_with_the_document_mask_a_position_belongs_to_the_document_it_predicts():
    lengths = (3, 1, 6, 2)
    batch = plan(lengths, batch_size=6, context=12, document_mask=True).batch(0)
    owners = np.repeat(np.arange(4), lengths)
    for row in range(6):
        targets = batch.targets_BT[row].tolist()
        documents, positions = batch.documents_BT[row].tolist(), batch.positions_BT[row].tolist()
        for place in range(1, 12):
            same = owners[targets[place]] == owners[targets[place - 1]] and targets[place] > targets[place - 1]
            assert documents[place] == documents[place - 1] + (not same)
            assert positions[place] == (positions[place - 1] + 1 if same else 0)
        assert (documents[0], positions[0]) == (0, 0)


def test_the_only_document_of_a_split_does_not_run_on_into_itself():
    (batch,) = consecutive_batches(Ring((10,)), batch_size=2, context=8, document_mask=True)
    assert batch.documents_BT.tolist() == [[0] * 8, [0, 0, 1, 1, 1, 1, 1, 1]]
    assert batch.positions_BT.tolist() == [list(range(8)), [0, 1, 0, 1, 2, 3, 4, 5]]


def test_without_the_document_mask_there_is_none():
    batch = plan().batch(0)
    assert batch.documents_BT is None
    assert batch.positions_BT is None


@pytest.mark.parametrize("lengths", [(100,), (97,), (8,), (3,), (50, 7, 1, 42)])
@pytest.mark.parametrize("batch_size", [1, 3])
def test_evaluation_predicts_every_token_exactly_once_in_order(lengths, batch_size):
    batches = list(consecutive_batches(Ring(lengths), batch_size=batch_size, context=8))
    targets = np.concatenate([batch.targets_BT.numpy().ravel() for batch in batches])
    assert targets[targets != IGNORED].tolist() == list(range(sum(lengths)))


def test_a_split_shorter_than_one_sequence_says_so():
    with pytest.raises(InputError, match="7 tokens, less than one sequence of 8"):
        plan((7,))


def test_parts_of_a_batch_are_the_batch():
    batch = plan(batch_size=5, document_mask=True).batch(1)
    parts = list(batch.split(2))
    assert [len(part.tokens_BT) for part in parts] == [2, 2, 1]
    for name in ("tokens_BT", "targets_BT", "positions_BT", "documents_BT"):
        assert torch.equal(torch.cat([getattr(part, name) for part in parts]), getattr(batch, name))
