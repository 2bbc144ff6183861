"""The arithmetic shuffle is a bijection, the same everywhere, and unlike for unlike keys."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from textpipe.data.permutation import derive_key, permute


@given(size=st.integers(1, 3000), key=st.integers(0, 2**64 - 1))
def test_every_index_is_hit_exactly_once(size, key):
    assert np.array_equal(np.sort(permute(np.arange(size), size, key)), np.arange(size))


@given(size=st.integers(1, 2**40), key=st.integers(0, 2**64 - 1), data=st.data())
def test_an_index_goes_to_the_same_place_alone_or_with_others(size, key, data):
    indices = np.array(data.draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=20)))
    together = permute(indices, size, key)
    assert ((together >= 0) & (together < size)).all()
    alone = [int(permute(np.array([index]), size, key)[0]) for index in indices]
    assert together.tolist() == alone


def test_many_indices_go_where_each_would_alone():
    size = (1 << 16) + 5
    places = permute(np.arange(size), size, 7)
    assert sorted(places.tolist()) == list(range(size))
    some = np.array([0, (1 << 16) - 1, 1 << 16, size - 1])
    assert permute(some, size, 7).tolist() == places[some].tolist()


def test_two_keys_give_two_orders():
    size = 1000
    first, second = (permute(np.arange(size), size, key) for key in (1, 2))
    assert (first == second).sum() < 20
    assert (first == np.arange(size)).sum() < 20


def test_neighbours_do_not_stay_neighbours():
    size = 4096
    jumps = np.abs(np.diff(permute(np.arange(size), size, 7)))
    assert 0.28 * size < jumps.mean() < 0.39 * size  # a true shuffle's mean is a third


def test_the_order_is_the_one_of_every_release():
    assert permute(np.arange(10), 10, 12345).tolist() == [4, 3, 5, 6, 1, 7, 8, 9, 0, 2]
    assert derive_key("epoch", 1, 2) == 3_508_232_359_895_356_165
