"""Classification: which label a text, or a pair of texts, has.

What enters: labelled texts. What leaves: the label of each and how probable every label is; accuracy and F1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from textpipe.data.labelled_text import Example, Labels
from textpipe.evaluation.labels import LabelScores, score_labels
from textpipe.nn.bert_heads import SequenceClassifier
from textpipe.tasks.windows import Window, WindowBatch

if TYPE_CHECKING:
    from textpipe.encoding import Encoding
    from textpipe.evaluation.bootstrap import Interval
    from textpipe.evaluation.labels import ClassScores
    from textpipe.nn.shapes import ClassifierConfig
    from textpipe.tokenizer import Tokenizer

__all__ = ["Classification", "LabelPrediction", "cut_windows", "text_of"]

_ENCODED_AT_ONCE = 4096


@dataclass(frozen=True, slots=True)
class LabelPrediction:
    """The likeliest label, and the probability of each."""

    label: str
    probabilities: dict[str, float]

    def __str__(self) -> str:
        return f"{self.label} {self.probabilities[self.label]:.3f}"

    def as_json(self) -> dict[str, Any]:
        return {"label": self.label, "probabilities": {name: round(p, 6) for name, p in self.probabilities.items()}}


class Classification:
    """The task of a model that gives texts labels; ``num_cut`` texts were beyond the model's context, and are cut."""

    def __init__(self, shape: ClassifierConfig, tokenizer: Tokenizer) -> None:
        self.labels, self._tokenizer, self._context = Labels(shape.labels), tokenizer, shape.context
        self.lost_as, self.num_lost, self.num_cut = "", 0, 0

    def windows(self, examples: Sequence[Example], *, is_labelled: bool = True) -> list[Window]:
        targets = [self.labels.id_of(each.label, where=each.where) if is_labelled else 0 for each in examples]
        made, num_cut = cut_windows(self._tokenizer, examples, targets, self._context)
        self.num_cut += num_cut
        return made

    def loss(self, logits: torch.Tensor, batch: WindowBatch) -> tuple[torch.Tensor, torch.Tensor]:
        return SequenceClassifier.loss(logits, batch.targets)

    def predictions(
        self, examples: Sequence[Example], windows: Sequence[Window], logits: Sequence[torch.Tensor]
    ) -> list[LabelPrediction]:
        found = []
        for logits_L in logits:
            shares = dict(zip(self.labels.names, logits_L.float().softmax(dim=0).tolist(), strict=True))
            found.append(LabelPrediction(self.labels.names[int(logits_L.argmax())], shares))
        return found

    def scores(self, examples: Sequence[Example], predictions: Sequence[LabelPrediction]) -> dict[str, float | None]:
        return {name: found.value for name, found in self._intervals(examples, predictions, 1).items()}

    def intervals(self, examples: Sequence[Example], predictions: Sequence[LabelPrediction]) -> dict[str, Interval]:
        return self._intervals(examples, predictions, 1000)

    def by_class(self, examples: Sequence[Example], predictions: Sequence[LabelPrediction]) -> dict[str, ClassScores]:
        found = _scored(examples, predictions, 1).classes
        return {str(name): found[name] for name in self.labels.names if name in found}

    @staticmethod
    def _intervals(
        examples: Sequence[Example], predictions: Sequence[LabelPrediction], num_resamples: int
    ) -> dict[str, Interval]:
        found = _scored(examples, predictions, num_resamples)
        return {"accuracy": found.accuracy, "macro_f1": found.macro_f1}

    def sample(self, example: Example, prediction: LabelPrediction) -> dict[str, str]:
        return {"prompt": text_of(example), "text": str(prediction), "reference": example.label}


def _scored(examples: Sequence[Example], predictions: Sequence[LabelPrediction], num_resamples: int) -> LabelScores:
    true, predicted = [each.label for each in examples], [each.label for each in predictions]
    return score_labels(true, predicted, num_resamples=num_resamples)


def cut_windows(
    tokenizer: Tokenizer, examples: Sequence[Example], targets: Sequence[float], context: int
) -> tuple[list[Window], int]:
    """The window of each text or pair, and how many were cut: the longer of a pair first.

    What looks like a special token in a text is text.
    """
    made, num_cut = [], 0
    encodings = _cut_encodings(tokenizer, examples, context)
    for number, (encoding, target) in enumerate(zip(encodings, targets, strict=True)):
        made.append(Window.of(encoding, number, target))
        num_cut += bool(encoding.overflowing)
    return made, num_cut


def _cut_encodings(tokenizer: Tokenizer, examples: Sequence[Example], context: int) -> Iterator[Encoding]:
    tokenizer.enable_truncation(context)
    for start in range(0, len(examples), _ENCODED_AT_ONCE):
        part = examples[start : start + _ENCODED_AT_ONCE]
        items = [each.text if each.second is None else (each.text, each.second) for each in part]
        yield from tokenizer.encode_batch(items, special="text", threads=1)


def text_of(example: Example) -> str:
    """The text or texts of an example as one line."""
    return example.text if example.second is None else f"{example.text} ‖ {example.second}"
