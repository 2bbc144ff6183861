"""The native gelu equals its formula in float64, on every kernel, for every length and number of threads."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textpipe.core import _gelu

KERNELS = pytest.mark.parametrize("scalar", [False, True])


def slow(x):
    """0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³))) and its derivative, a number at a time."""
    values, slopes = [], []
    for number in map(float, x):
        bent = math.tanh(math.sqrt(2 / math.pi) * (number + 0.044715 * number**3))
        values.append(0.5 * number * (1 + bent))
        inner = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * number**2)
        slopes.append(0.5 * (1 + bent) + 0.5 * number * (1 - bent * bent) * inner)
    return np.array(values), np.array(slopes)


def fast(x, above=None, **settings):
    above = np.ones_like(x) if above is None else above
    y, below = np.full_like(x, 7.0), np.full_like(x, 7.0)
    _gelu.forward(x, y, **settings)
    _gelu.backward(x, above, below, **settings)
    return y, below


@KERNELS
@given(x=st.lists(st.floats(-1e4, 1e4, width=32), max_size=40))
def test_numbers_and_gradients_are_those_of_the_formula(scalar, x):
    x = np.array(x, dtype=np.float32)
    values, slopes = slow(x)
    y, below = fast(x, scalar=scalar)
    np.testing.assert_allclose(y, values, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(below, slopes, rtol=1e-6, atol=1e-6)


@KERNELS
def test_the_whole_of_the_bend_is_within_a_millionth(scalar):
    x = np.linspace(-12, 12, 100_001, dtype=np.float32)
    values, slopes = slow(x)
    y, below = fast(x, scalar=scalar)
    assert np.abs(y - values).max() <= 1e-6
    assert np.abs(below - slopes).max() <= 1e-6


@KERNELS
def test_what_is_not_a_number_stays_so(scalar):
    x = np.full(33, 1.0, dtype=np.float32)
    x[[0, 16, 32]] = np.nan
    y, below = fast(x, scalar=scalar)
    assert np.flatnonzero(np.isnan(y)).tolist() == np.flatnonzero(np.isnan(below)).tolist() == [0, 16, 32]


@pytest.mark.parametrize("threads", [1, 2, 3, 64])
@pytest.mark.parametrize("count", [0, 1, (1 << 17) - 1, 1 << 18, (3 << 17) + 5])
def test_threads_change_nothing(threads, count):
    x = np.random.default_rng(1).normal(0, 3, count).astype(np.float32)
    above = np.random.default_rng(2).normal(0, 1, count).astype(np.float32)
    one, many = fast(x, above), fast(x, above, threads=threads)
    # the last numbers of a piece go through another loop, which may round otherwise
    np.testing.assert_allclose(one[0], many[0], rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(one[1], many[1], rtol=1e-6, atol=1e-6)


def test_the_gradient_is_that_of_what_comes_from_above():
    x = np.linspace(-3, 3, 50, dtype=np.float32)
    above = np.linspace(5, -5, 50, dtype=np.float32)
    np.testing.assert_allclose(fast(x, above)[1], slow(x)[1] * above, rtol=1e-5, atol=1e-6)


def test_arrays_of_other_lengths_are_refused():
    x = np.zeros(4, dtype=np.float32)
    with pytest.raises(ValueError, match="arrays of 4 and 3 numbers"):
        _gelu.forward(x, np.zeros(3, dtype=np.float32))
    with pytest.raises(ValueError, match="arrays of 4 and 5 numbers"):
        _gelu.backward(x, x, np.zeros(5, dtype=np.float32))
