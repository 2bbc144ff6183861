"""Our gelu is torch's, in value and gradient, and torch's own where the native kernel does not serve."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from textpipe.nn.activations import gelu_tanh


def theirs(x):
    return functional.gelu(x, approximate="tanh")


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) * 3


@pytest.mark.parametrize("threads", [1, 2])
def test_values_and_gradients_equal_torchs(threads):
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    above = numbers(64, 4096, seed=1)
    found = []
    for function, dtype in ((gelu_tanh, torch.float32), (theirs, torch.float64)):
        x = numbers(64, 4096).to(dtype).requires_grad_()
        y = function(x)
        y.backward(above.to(dtype))
        found.append((y.detach(), x.grad))
    torch.set_num_threads(before)
    for ours, expected in zip(*found, strict=True):
        assert torch.allclose(ours.double(), expected, atol=4e-6, rtol=1e-6)


def test_turned_tensors_and_gradients_are_read_right():
    x = numbers(256, 128).T.requires_grad_()
    y = gelu_tanh(x)
    y.T.square().sum().backward()
    twin = x.detach().clone().requires_grad_()
    theirs(twin).square().sum().backward()
    assert torch.allclose(y, theirs(twin), atol=1e-6)
    assert torch.allclose(x.grad, twin.grad, atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize("size", [1, 7, 16, 1000])
def test_a_part_is_bent_as_in_the_whole(size):
    x = numbers(20_000)
    assert torch.allclose(gelu_tanh(x[:size]), gelu_tanh(x)[:size], atol=1e-7, rtol=0.0)
    assert torch.allclose(gelu_tanh(x[:size]).double(), theirs(x[:size].double()), atol=1e-6)


@pytest.mark.parametrize("x", [numbers(20_000).double(), numbers(20_000).bfloat16()], ids=["double", "bfloat16"])
def test_other_numbers_are_torchs_to_the_bit(x):
    assert torch.equal(gelu_tanh(x), theirs(x))


def test_a_second_derivative_is_refused_rather_than_wrong():
    x = numbers(20_000).requires_grad_()
    (slope,) = torch.autograd.grad(gelu_tanh(x).square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        slope.sum().backward()


def test_without_gradients_the_same_numbers_come_out():
    x = torch.randn(3, 17).t()  # not contiguous
    expected = gelu_tanh(x.clone().requires_grad_()).detach()
    with torch.no_grad():
        assert torch.equal(gelu_tanh(x), expected)
    with torch.inference_mode():
        assert torch.equal(gelu_tanh(x), expected)
