"""What a trained model has to beat: rules and counts that read no word's meaning.

What enters: examples to learn from and held-out ones of one task. What leaves: by name, how well a simple rule tells
the held-out ones, in the measures and intervals of the task.

* labels: the commonest one, and logistic regression on TF-IDF of runs of 1 to 3 characters (of two texts: of either
  and of both)
* scores of two texts: the cosine of their TF-IDF, and the share of pairs of characters they have in common
* tags: the entities of the training examples, longest first, by their commonest type, without those that are rather
  not meant where they stand
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.nn import functional

from textpipe.data.labelled_text import Example
from textpipe.data.tagged_text import TaggedText
from textpipe.evaluation.bootstrap import Interval, bootstrap_interval
from textpipe.evaluation.correlation import score_correlation
from textpipe.evaluation.labels import score_labels
from textpipe.tasks.label_alignment import Span
from textpipe.tasks.tagging import score_spans, spans_in

__all__ = ["Baseline", "Rows", "TfIdf", "baselines", "grams", "lead", "predicted_labels"]

_LONGEST_GRAM = 3
_STRENGTH = 1.0  # of the data against weights of 0, scikit-learn's C
_MOST_STEPS = 200
Scores = dict[str, Interval]


class Baseline(NamedTuple):
    """A simple rule, its scores, and the labels it told, of a task that has some."""

    name: str
    scores: Scores
    labels: list[str]


def baselines(task: str, learn: Sequence[Any], held_out: Sequence[Any]) -> Iterator[Baseline]:
    """The simple rules of a task and their scores."""
    if task == "label":
        true = [example.label for example in held_out]
        ((most, _),) = Counter(example.label for example in learn).most_common(1)
        for name, told in (
            ("the commonest label", [most] * len(true)),
            ("tf-idf and logistic regression", predicted_labels(learn, held_out)),
        ):
            found = score_labels(true, told)
            yield Baseline(name, {"accuracy": found.accuracy, "macro_f1": found.macro_f1}, told)
    elif task == "score":
        for name, alike in (("cosine of tf-idf", cosines(learn, held_out)), ("shared pairs", overlaps(held_out))):
            compared = score_correlation([example.score for example in held_out], alike)
            yield Baseline(name, {"pearson": compared.pearson, "spearman": compared.spearman}, [])
    elif task == "tags":
        names = Gazetteer(learn)
        f1 = score_spans(held_out, map(names.spans, held_out)).f1
        yield Baseline("entities of the training", {"entity_f1": f1}, [])


def grams(text: str) -> list[str]:
    """Runs of 1 to 3 characters, white space being one blank.

    >>> grams("가 나")
    ['가', ' ', '나', '가 ', ' 나', '가 나']
    """
    plain = " ".join(text.split())
    return [plain[at : at + size] for size in range(1, _LONGEST_GRAM + 1) for at in range(len(plain) - size + 1)]


class Rows(NamedTuple):
    """Sparse rows one behind the other: columns, values, and where each row begins."""

    columns_E: torch.Tensor
    values_E: torch.Tensor
    begins_N: torch.Tensor

    def times(self, weights_VL: torch.Tensor) -> torch.Tensor:
        """The product with a matrix (N, L)."""
        product_NL: torch.Tensor = functional.embedding_bag(
            self.columns_E, weights_VL, self.begins_N, mode="sum", per_sample_weights=self.values_E
        )
        return product_NL


class TfIdf:
    """How often each feature occurs in a text, times how rare it is, rows of length 1: as scikit-learn has it."""

    def __init__(self, learn: Sequence[Iterable[str]]) -> None:
        counts = Counter(feature for features in learn for feature in set(features))
        self.columns = {feature: number for number, feature in enumerate(counts)}
        held_by_V = torch.tensor(list(counts.values()), dtype=torch.float32)
        self.rareness_V = torch.log((1 + len(learn)) / (1 + held_by_V)) + 1

    def rows(self, texts: Iterable[Iterable[str]]) -> Rows:
        """Of texts by their features; those that were not learnt are left out."""
        columns: list[int] = []
        counts: list[int] = []
        begins = [0]
        for features in texts:
            found = Counter(self.columns[feature] for feature in features if feature in self.columns)
            columns += found.keys()
            counts += found.values()
            begins.append(len(columns))
        columns_E, begins_N = torch.tensor(columns, dtype=torch.long), torch.tensor(begins)
        values_E = torch.tensor(counts, dtype=torch.float32) * self.rareness_V[columns_E]
        row_E = torch.repeat_interleave(torch.arange(len(begins_N) - 1), begins_N.diff())
        squares_N = torch.zeros(len(begins_N) - 1).index_add(0, row_E, values_E.square())
        return Rows(columns_E, values_E / squares_N.sqrt()[row_E], begins_N[:-1])


def _features(example: Example) -> list[str]:
    one = grams(example.text)
    if example.second is None:
        return one
    other = grams(example.second)
    both = set(one) & set(other)
    return [*(f"1{gram}" for gram in one), *(f"2{gram}" for gram in other), *(f"={gram}" for gram in both)]


def predicted_labels(learn: Sequence[Example], held_out: Sequence[Example]) -> list[str]:
    """Labels of the held-out texts by logistic regression on TF-IDF."""
    names = sorted({example.label for example in learn})
    features = [_features(example) for example in learn]
    tf_idf = TfIdf(features)
    targets_N = torch.tensor([names.index(example.label) for example in learn])
    weights_VL, bias_L = _regression(tf_idf.rows(features), targets_N, (len(tf_idf.columns), len(names)))
    logits_NL = tf_idf.rows(map(_features, held_out)).times(weights_VL) + bias_L
    return [names[number] for number in logits_NL.argmax(dim=1).tolist()]


def _regression(rows: Rows, targets_N: torch.Tensor, shape: tuple[int, int]) -> tuple[torch.Tensor, torch.Tensor]:
    weights_VL = torch.zeros(shape, requires_grad=True)
    bias_L = torch.zeros(shape[1], requires_grad=True)
    search = torch.optim.LBFGS([weights_VL, bias_L], max_iter=_MOST_STEPS, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        search.zero_grad()
        wrong = functional.cross_entropy(rows.times(weights_VL) + bias_L, targets_N, reduction="sum")
        total = (_STRENGTH * wrong + weights_VL.square().sum() / 2) / len(targets_N)
        total.backward()  # type: ignore[no-untyped-call]
        return total

    search.step(loss)  # type: ignore[no-untyped-call]
    return weights_VL.detach(), bias_L.detach()


def cosines(learn: Sequence[Example], held_out: Sequence[Example]) -> list[float]:
    """How alike the two texts of each held-out example are."""
    tf_idf = TfIdf([grams(text) for example in learn for text in (example.text, example.second or "")])
    found = []
    for example in held_out:
        one, other = ({}, {})
        for side, text in ((one, example.text), (other, example.second or "")):
            rows = tf_idf.rows([grams(text)])
            side.update(zip(rows.columns_E.tolist(), rows.values_E.tolist(), strict=True))
        found.append(sum(value * other.get(column, 0.0) for column, value in one.items()))
    return found


def overlaps(held_out: Sequence[Example]) -> list[float]:
    """The share of the pairs of characters of two texts that both have (Dice)."""
    found = []
    for example in held_out:
        one, other = (
            Counter(gram for gram in grams(text) if len(gram) == 2) for text in (example.text, example.second or "")
        )
        found.append(2 * (one & other).total() / max(1, one.total() + other.total()))
    return found


class Gazetteer:
    """The entities of the training examples as a list of names."""

    def __init__(self, learn: Sequence[TaggedText]) -> None:
        types: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for example in learn:
            for span in spans_in(example):
                types[example.text[span.begin : span.end]][span.type] += 1
        self._types = {name: found.most_common(1)[0][0] for name, found in types.items()}
        self._longest = max(map(len, self._types))
        self._types = {name: self._types[name] for name in self._meant(learn)}

    def _meant(self, learn: Sequence[TaggedText]) -> list[str]:
        """Names that are an entity at least every other time they are read."""
        read, right = Counter[str](), Counter[str]()
        for example in learn:
            meant = set(spans_in(example))
            for span in self.spans(example):
                name = example.text[span.begin : span.end]
                read[name] += 1
                right[name] += span in meant
        return [name for name in read if 2 * right[name] >= read[name]]

    def spans(self, example: TaggedText) -> list[Span]:
        """What is marked in a text: at each place the longest name that begins there."""
        text, found, at = example.text, [], 0
        while at < len(text):
            ends = range(min(len(text), at + self._longest), at, -1)
            end = next((end for end in ends if text[at:end] in self._types), None)
            if end is not None:
                found.append(Span(at, end, self._types[text[at:end]]))
            at = at + 1 if end is None else end
        return found


def lead(held_out: Sequence[Example], labels: Sequence[str], others: Sequence[str]) -> Interval:
    """By how much more of the same examples one tells rightly than another does."""
    one, other = (
        np.array([told == each.label for told, each in zip(side, held_out, strict=True)], dtype=float)
        for side in (labels, others)
    )
    return bootstrap_interval(lambda drawn: float((one - other)[drawn].mean()), len(held_out))


def as_text(scores: Mapping[str, Interval]) -> dict[str, str]:
    """Scores with their intervals, for a line of results."""
    return {name: str(found) for name, found in scores.items()}
