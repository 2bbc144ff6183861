"""Correlations, against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from textpipe.errors import InputError
from textpipe.evaluation.correlation import pearson, score_correlation, spearman

# Judgements come in a few steps, so most numbers are tied.
NUMBERS = st.one_of(st.integers(0, 5).map(float), st.floats(-100, 100, width=32))
PAIRS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=40)


@given(PAIRS)
def test_both_coefficients_are_scipys(pairs):
    stats = pytest.importorskip("scipy.stats")
    true, predicted = (np.array(side) for side in zip(*pairs, strict=True))
    assume(np.ptp(true) > 1e-3 and np.ptp(predicted) > 1e-3)
    assert pearson(true, predicted) == pytest.approx(stats.pearsonr(true, predicted).statistic, abs=1e-9)
    assert spearman(true, predicted) == pytest.approx(stats.spearmanr(true, predicted).statistic, abs=1e-9)


def test_the_scores_are_the_coefficients_of_all_examples():
    generator = np.random.default_rng(1)
    true = generator.normal(size=80)
    predicted = true + generator.normal(size=80)
    found = score_correlation(true.tolist(), predicted.tolist(), num_resamples=200)
    assert found.pearson.value == pearson(true, predicted)
    assert found.spearman.value == spearman(true, predicted)
    assert -1 <= found.pearson.low < found.pearson.value < found.pearson.high <= 1
    assert found.num_examples == 80


@pytest.mark.parametrize(
    ("true", "predicted", "message"),
    [
        ([1.0, 2.0], [1.0], "2 true numbers and 1 predicted"),
        ([1.0, 2.0], [3.0, 3.0], "all predicted numbers are 3"),
        ([1.0], [2.0], "all true numbers are 1"),
        ([1.0, 2.0], [3.0, float("nan")], "example 2: a predicted number is not finite"),
    ],
)
def test_numbers_that_have_no_correlation_are_refused(true, predicted, message):
    with pytest.raises(InputError, match=message):
        score_correlation(true, predicted)
