"""Scores of a classifier: how often it is right, and how well it finds each class.

What enters: the true and the predicted label of each example. What leaves: accuracy, F1 averaged over the classes, and
precision, recall and F1 of each class. A class that is never predicted, or never true, counts as 0 where its score
would be 0/0, and the classes averaged over are those that occur on either side.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from textpipe.errors import InputError
from textpipe.evaluation.bootstrap import Interval, bootstrap_interval

__all__ = ["ClassScores", "LabelScores", "score_labels"]

Label = TypeVar("Label", bound=Hashable)


@dataclass(frozen=True, slots=True)
class ClassScores:
    """How well one class is found; ``support`` examples truly have it."""

    precision: float
    recall: float
    f1: float
    support: int

    @classmethod
    def of_counts(cls, right: int, predicted: int, true: int) -> ClassScores:
        """From the numbers of right, of predicted and of true ones.

        >>> ClassScores.of_counts(right=2, predicted=4, true=2).f1
        0.6666666666666666
        """
        precision = right / predicted if predicted else 0.0
        recall = right / true if true else 0.0
        f1 = 2 * right / (predicted + true) if predicted + true else 0.0
        return cls(precision, recall, f1, true)


@dataclass(frozen=True, slots=True)
class LabelScores:
    """Scores of a classifier, all shares between 0 and 1; ``classes`` in the order of their first appearance."""

    num_examples: int
    accuracy: Interval
    macro_f1: Interval
    classes: dict[Hashable, ClassScores]


def score_labels(
    true: Sequence[Label], predicted: Sequence[Label], *, num_resamples: int = 1000, seed: int = 0
) -> LabelScores:
    """Score predicted labels against the true ones.

    Parameters
    ----------
    true, predicted : one label an example, in the same order.
    num_resamples, seed : of the bootstrap, see :func:`~textpipe.evaluation.bootstrap.bootstrap_interval`.

    Raises
    ------
    InputError
        for no example, or different numbers of labels.

    Examples
    --------
    >>> found = score_labels(["긍정", "부정", "긍정", "긍정"], ["긍정", "부정", "부정", "긍정"])
    >>> found.accuracy.value, round(found.macro_f1.value, 4), found.classes["부정"].precision
    (0.75, 0.7333, 0.5)
    """
    check_same_length(true, predicted, "labels")
    numbers: dict[Hashable, int] = {}
    true_N = np.array([numbers.setdefault(label, len(numbers)) for label in true])
    predicted_N = np.array([numbers.setdefault(label, len(numbers)) for label in predicted])
    right_N = true_N == predicted_N

    def counts(drawn: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        those = true_N[drawn]
        size = len(numbers)
        return (
            np.bincount(those[right_N[drawn]], minlength=size),
            np.bincount(predicted_N[drawn], minlength=size),
            np.bincount(those, minlength=size),
        )

    def macro_f1(drawn: NDArray[np.int64]) -> float:
        right_C, predicted_C, true_C = counts(drawn)
        occurring_C = predicted_C + true_C
        kept = occurring_C > 0
        return float((2 * right_C[kept] / occurring_C[kept]).mean())

    rows = zip(*(each.tolist() for each in counts(np.arange(len(true_N)))), strict=True)
    return LabelScores(
        num_examples=len(true_N),
        accuracy=bootstrap_interval(
            lambda drawn: float(right_N[drawn].mean()), len(true_N), num_resamples=num_resamples, seed=seed
        ),
        macro_f1=bootstrap_interval(macro_f1, len(true_N), num_resamples=num_resamples, seed=seed),
        classes={label: ClassScores.of_counts(*row) for label, row in zip(numbers, rows, strict=True)},
    )


def check_same_length(true: Sequence[object], predicted: Sequence[object], what: str) -> None:
    """Refuse what cannot be scored pair by pair: no pair at all, or one side longer."""
    if len(true) != len(predicted):
        raise InputError(
            f"there are {len(true)} true {what} and {len(predicted)} predicted ones",
            allowed="one of each for every example",
            hint="was a line lost, or an empty one skipped?",
        )
    if not len(true):
        raise InputError(f"there are no {what} to score", allowed="1 example or more")
