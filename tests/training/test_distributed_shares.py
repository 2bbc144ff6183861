"""Shares of a step: in rank order they are the whole of it, and all ranks keep as many appointments."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from textpipe.data.batches import Batch
from textpipe.training.distributed.shares import micro_batches


def batch_of(rows):
    tokens_BT = torch.arange(rows)[:, None]
    return Batch(tokens_BT, tokens_BT, tuple(range(rows)))


@given(rows=st.integers(1, 40), size=st.none() | st.integers(1, 9), ranks=st.integers(1, 7))
def test_every_sequence_counts_once_in_order_and_ranks_keep_step(rows, size, ranks):
    shares = [micro_batches(batch_of(rows), size, rank=rank, ranks=ranks) for rank in range(ranks)]
    assert len({len(share) for share in shares}) == 1
    counted = [sample for share in shares for part in share if part.counts for sample in part.batch.samples]
    assert counted == list(range(rows))
    assert all(len(part.batch.samples) <= (size or rows) for share in shares for part in share)


@pytest.mark.parametrize("size", [None, 3])
def test_a_process_alone_has_all_as_before(size):
    parts = micro_batches(batch_of(7), size)
    assert [part.batch.samples for part in parts] == [part.samples for part in batch_of(7).split(size or 7)]
