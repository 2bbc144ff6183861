"""Recurrent cells over padded batches against torch's packed sequences, and gradients gathered over steps."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from textpipe.nn.recurrent import StepMatrix, read_both_ways


def packed(cells, x, lengths):
    """What torch gives for packed sequences: states and last states."""
    out, last = cells(pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False))
    states, _ = pad_packed_sequence(out, batch_first=True, total_length=x.shape[1])
    return states, last if isinstance(last, tuple) else (last,)


@given(
    shape=st.tuples(st.sampled_from([nn.LSTM, nn.GRU]), st.integers(1, 3), st.booleans()),
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=5),
    tail=st.integers(0, 3),
    seed=st.integers(0, 99),
)
def test_padded_batches_give_what_packed_ones_give(shape, lengths, tail, seed):
    generator = torch.Generator().manual_seed(seed)
    kind, layers, bidirectional = shape
    cells = kind(3, 4, layers, batch_first=True, bidirectional=bidirectional)
    for weight in cells.parameters():
        nn.init.uniform_(weight, -1, 1, generator=generator)
    size = max(lengths) + tail
    x = torch.randn(len(lengths), size, 3, generator=generator, requires_grad=True)
    lengths = torch.tensor(lengths)
    expected = packed(cells, x, lengths)
    found = read_both_ways(cells, x, torch.arange(size)[None] < lengths[:, None])
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-6)
    weights = [torch.randn(part.shape, generator=generator) for part in (expected[0], *expected[1])]
    inputs = [x, *cells.parameters()]
    losses = [sum((part * w).sum() for part, w in zip((r[0], *r[1]), weights, strict=True)) for r in (found, expected)]
    found, expected = (torch.autograd.grad(loss, inputs) for loss in losses)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU])
def test_nothing_that_stands_at_padding_is_read(kind):
    torch.manual_seed(0)
    cells = kind(3, 4, 2, batch_first=True, bidirectional=True)
    x, mask = torch.randn(2, 5, 3), torch.tensor([[True] * 5, [True, True, False, False, False]])
    other = torch.where(mask[..., None], x, torch.full_like(x, 50.0))
    with torch.no_grad():
        torch.testing.assert_close(read_both_ways(cells, x, mask), read_both_ways(cells, other, mask), rtol=0, atol=0)


def test_dropout_stands_between_the_layers_and_only_in_training():
    torch.manual_seed(0)
    cells = nn.LSTM(3, 4, 2, batch_first=True, dropout=1.0)
    x, mask = torch.randn(2, 5, 3), torch.ones(2, 5, dtype=torch.bool)
    with torch.no_grad():
        none, _ = read_both_ways(cells, torch.zeros_like(x), mask)
        trained, _ = read_both_ways(cells, x, mask)
        whole = read_both_ways(cells.eval(), x, mask)
        torch.testing.assert_close(whole, packed(cells, x, torch.tensor([5, 5])), rtol=0, atol=1e-6)
    torch.testing.assert_close(trained, none)  # the upper layer saw nothing of the input


def chained(matrix, x, steps):
    for _ in range(steps):
        x = torch.tanh(matrix(x))
    return (x * x).sum()


@pytest.mark.parametrize("shape", [(4, 4), (3, 4, 4)], ids=["one", "one for each sequence"])
def test_a_gathered_gradient_is_the_sum_over_the_steps(shape):
    torch.manual_seed(0)
    weight = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    x = (
        torch.randn(3, 2, 4, dtype=torch.float64, requires_grad=True)
        if len(shape) == 3
        else torch.randn(5, 4, dtype=torch.float64, requires_grad=True)
    )
    found = torch.autograd.grad(chained(StepMatrix(weight), x, 4), [x, weight])
    expected = torch.autograd.grad(chained(lambda v: v @ weight.mT, x, 4), [x, weight])
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


def test_a_second_backward_counts_nothing_twice():
    weight, x = torch.eye(2, requires_grad=True), torch.ones(1, 2)
    loss = chained(StepMatrix(weight), x, 3)
    first = torch.autograd.grad(loss, weight, retain_graph=True)
    torch.testing.assert_close(torch.autograd.grad(loss, weight), first)


def test_without_gradients_it_is_the_product_alone():
    weight = torch.eye(2, requires_grad=True)
    with torch.no_grad():
        product = StepMatrix(weight)(torch.tensor([[1.0, 2.0]]))
    assert product.tolist() == [[1.0, 2.0]]
    assert not product.requires_grad


def test_under_autocast_products_are_of_its_type_and_gradients_of_the_matrix_s():
    weight, x = torch.eye(2, requires_grad=True), torch.ones(1, 2, requires_grad=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        product = StepMatrix(weight)(x)
    product.float().sum().backward()
    assert product.dtype == torch.bfloat16
    assert weight.grad.dtype == x.grad.dtype == torch.float32
    assert weight.grad.tolist() == [[1.0, 1.0], [1.0, 1.0]]
