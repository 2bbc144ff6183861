"""Intervals of scores by resampling."""

from __future__ import annotations

import numpy as np
import pytest

from textpipe.errors import ConfigError, InputError
from textpipe.evaluation.bootstrap import bootstrap_interval
from textpipe.evaluation.correlation import pearson

VALUES = np.random.default_rng(3).normal(size=57)


def mean(drawn):
    return float(VALUES[drawn].mean())


def test_the_interval_is_scipys_percentile_interval():
    stats = pytest.importorskip("scipy.stats")
    ours = bootstrap_interval(mean, len(VALUES), confidence=0.9, num_resamples=400, seed=5)
    theirs = stats.bootstrap(
        (VALUES,),
        np.mean,
        confidence_level=0.9,
        n_resamples=400,
        method="percentile",
        rng=np.random.default_rng(5),
    ).confidence_interval
    assert ours.value == pytest.approx(VALUES.mean(), abs=1e-15)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_the_same_seed_gives_the_same_interval_and_another_seed_another():
    one, same, other = (bootstrap_interval(mean, 57, num_resamples=50, seed=seed) for seed in (1, 1, 2))
    assert one == same
    assert (one.low, one.high) != (other.low, other.high)


def test_the_true_mean_is_covered_about_as_often_as_promised():
    generator = np.random.default_rng(0)
    covered = 0
    for number in range(200):
        sample = generator.normal(size=60)
        found = bootstrap_interval(
            lambda drawn, sample=sample: float(sample[drawn].mean()), 60, num_resamples=200, seed=number
        )
        covered += found.low <= 0 <= found.high
    assert 178 <= covered <= 199


@pytest.mark.parametrize(
    "settings", [{"confidence": 0.0}, {"confidence": 1.0}, {"confidence": 95.0}, {"num_resamples": 0}]
)
def test_settings_that_make_no_interval_are_refused(settings):
    with pytest.raises(ConfigError):
        bootstrap_interval(mean, 57, **settings)


def test_a_score_that_some_resamples_have_not_is_said_without_an_interval_and_why():
    true, told = np.array([1.0, 2.0, 4.0]), np.array([2.0, 3.0, 4.0])
    found = bootstrap_interval(lambda drawn: pearson(true[drawn], told[drawn]), 3, num_resamples=500)
    assert found.value == pearson(true, told)
    assert (found.low, found.high) == (None, None)
    number = int(found.why_none.split()[0])
    assert 0.05 < number / 500 < 0.2  # one in nine
    assert str(found) == f"{found.value:.4f} (no interval: {number} of 500 resamples of 3 examples have no score)"


def test_no_example_and_a_score_that_is_no_number_are_refused():
    with pytest.raises(InputError, match="no example"):
        bootstrap_interval(mean, 0)
    with pytest.raises(InputError, match="no finite number"):
        bootstrap_interval(lambda drawn: float("nan"), 3)
