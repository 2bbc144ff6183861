"""Regression: what number a text, or a pair of texts, has, such as how alike two sentences are.

What enters: texts with a number each. What leaves: a number for each; Pearson's and Spearman's coefficient. The loss is
in units of the variance of the training's numbers: about 1 for a model that always says their mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from textpipe.data.labelled_text import Example
from textpipe.evaluation.correlation import pearson, score_correlation, spearman
from textpipe.nn.bert_heads import SequenceRegressor
from textpipe.tasks.classification import cut_windows, text_of
from textpipe.tasks.windows import Window, WindowBatch

if TYPE_CHECKING:
    from textpipe.evaluation.bootstrap import Interval
    from textpipe.evaluation.labels import ClassScores
    from textpipe.nn.shapes import RegressorConfig
    from textpipe.tokenizer import Tokenizer

__all__ = ["Regression", "ScorePrediction"]


@dataclass(frozen=True, slots=True)
class ScorePrediction:
    """A number, in the unit of training."""

    score: float

    def __str__(self) -> str:
        return f"{self.score:.3f}"

    def as_json(self) -> dict[str, Any]:
        return {"score": round(self.score, 6)}


class Regression:
    """The task of a model that gives texts a number; ``num_cut`` texts were beyond the model's context, and are cut."""

    def __init__(self, shape: RegressorConfig, tokenizer: Tokenizer) -> None:
        self._shape, self._tokenizer = shape, tokenizer
        self.lost_as, self.num_lost, self.num_cut = "", 0, 0

    def windows(self, examples: Sequence[Example], *, is_labelled: bool = True) -> list[Window]:
        targets = [each.score if is_labelled else 0.0 for each in examples]
        made, num_cut = cut_windows(self._tokenizer, examples, targets, self._shape.context)
        self.num_cut += num_cut
        return made

    def loss(self, logits: torch.Tensor, batch: WindowBatch) -> tuple[torch.Tensor, torch.Tensor]:
        total, count = SequenceRegressor.loss(logits, batch.targets)
        return total / self._shape.spread**2, count

    def predictions(
        self, examples: Sequence[Example], windows: Sequence[Window], logits: Sequence[torch.Tensor]
    ) -> list[ScorePrediction]:
        return [ScorePrediction(float(logits_1[0])) for logits_1 in logits]

    def scores(self, examples: Sequence[Example], predictions: Sequence[ScorePrediction]) -> dict[str, float | None]:
        true_N, predicted_N = (np.array([each.score for each in side]) for side in (examples, predictions))
        found = {"pearson": pearson(true_N, predicted_N), "spearman": spearman(true_N, predicted_N)}
        # a side that never varies goes with nothing
        return {name: None if np.isnan(value) else value for name, value in found.items()}

    def intervals(self, examples: Sequence[Example], predictions: Sequence[ScorePrediction]) -> dict[str, Interval]:
        found = score_correlation([each.score for each in examples], [each.score for each in predictions])
        return {"pearson": found.pearson, "spearman": found.spearman}

    def by_class(self, examples: Sequence[Example], predictions: Sequence[ScorePrediction]) -> dict[str, ClassScores]:
        return {}

    def sample(self, example: Example, prediction: ScorePrediction) -> dict[str, str]:
        return {"prompt": text_of(example), "text": str(prediction), "reference": example.label}
