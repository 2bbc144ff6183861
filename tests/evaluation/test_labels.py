"""Scores of classifiers, against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textpipe.errors import InputError
from textpipe.evaluation.labels import score_labels

LABELS = st.sampled_from(["긍정", "부정", "중립", "모름"])
PAIRS = st.lists(st.tuples(LABELS, LABELS), min_size=1, max_size=30)


@given(PAIRS)
def test_scores_are_scikit_learns(pairs):
    metrics = pytest.importorskip("sklearn.metrics")
    true, predicted = ([pair[side] for pair in pairs] for side in (0, 1))
    ours = score_labels(true, predicted, num_resamples=2)
    assert ours.accuracy.value == pytest.approx(metrics.accuracy_score(true, predicted), abs=1e-12)
    assert ours.macro_f1.value == pytest.approx(
        metrics.f1_score(true, predicted, average="macro", zero_division=0), abs=1e-12
    )
    names = list(ours.classes)
    theirs = np.transpose(
        metrics.precision_recall_fscore_support(true, predicted, labels=names, zero_division=0)
    ).tolist()
    for name, row in zip(names, theirs, strict=True):
        found = ours.classes[name]
        assert (found.precision, found.recall, found.f1, found.support) == pytest.approx(row, abs=1e-12)


def test_a_resample_is_averaged_over_the_classes_that_occur_in_it():
    """One class, all right: whatever is drawn scores 1."""
    found = score_labels(["가", "가", "나"], ["가", "가", "나"], num_resamples=50)
    assert (found.macro_f1.low, found.macro_f1.high) == (1.0, 1.0)


def test_a_lost_label_and_no_label_are_refused():
    with pytest.raises(InputError, match="3 true labels and 2 predicted"):
        score_labels(["가", "나", "가"], ["가", "나"])
    with pytest.raises(InputError, match="no labels"):
        score_labels([], [])
