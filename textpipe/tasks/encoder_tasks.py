"""The interface of what an encoder is fine-tuned for, and which task a model's shape stands for.

What enters: examples. What leaves: windows to read, the loss of logits, what the logits predict of each example, and
how well that is right. Training, prediction and scoring know nothing else of a task.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import torch

from textpipe.nn.shapes import ClassifierConfig, RegressorConfig, TaggerConfig

if TYPE_CHECKING:
    from textpipe.evaluation.bootstrap import Interval
    from textpipe.evaluation.labels import ClassScores
    from textpipe.tasks.windows import Window, WindowBatch
    from textpipe.tokenizer import Tokenizer

__all__ = ["EncoderTask", "Prediction", "encoder_task"]


class Prediction(Protocol):
    """What a model says of one example."""

    def __str__(self) -> str:
        """In a few words, for people."""
        ...

    def as_json(self) -> dict[str, Any]:
        """All of it."""
        ...


class EncoderTask(Protocol):
    """One thing to tell of texts.

    Of the windows made so far ``num_lost`` labels could not be learnt, as ``lost_as`` names them, and ``num_cut`` texts
    were longer than the model reads.
    """

    lost_as: str
    num_lost: int
    num_cut: int

    def windows(self, examples: Sequence[Any], *, is_labelled: bool = True) -> list[Window]:
        """What a model reads of these examples; of those without a label the targets mean nothing."""
        ...

    def loss(self, logits: torch.Tensor, batch: WindowBatch) -> tuple[torch.Tensor, torch.Tensor]:
        """Summed loss and the number of targets."""
        ...

    def predictions(
        self, examples: Sequence[Any], windows: Sequence[Window], logits: Sequence[torch.Tensor]
    ) -> list[Any]:
        """What is predicted of each example; the logits of each of its windows are without padding."""
        ...

    def scores(self, examples: Sequence[Any], predictions: Sequence[Any]) -> dict[str, float | None]:
        """How well that is right, by name; None where it cannot be said."""
        ...

    def intervals(self, examples: Sequence[Any], predictions: Sequence[Any]) -> dict[str, Interval]:
        """The same, with intervals."""
        ...

    def by_class(self, examples: Sequence[Any], predictions: Sequence[Any]) -> dict[str, ClassScores]:
        """How well each label or type is found; nothing for a task that has none."""
        ...

    def sample(self, example: Any, prediction: Any) -> dict[str, str]:
        """An example as people read it: ``prompt``, ``text`` and ``reference``."""
        ...


def encoder_task(shape: Any, tokenizer: Tokenizer) -> EncoderTask:
    """The task of a model of this shape.

    Parameters
    ----------
    shape : of a fine-tuned encoder.
    tokenizer : puts the marks of BERT around texts, see :func:`~textpipe.data.framing.with_marks`.
    """
    from textpipe.tokenizer import Tokenizer as Made

    tokenizer = Made.from_parts(tokenizer.parts)  # how it truncates is a matter of the task alone
    from textpipe.tasks.classification import Classification
    from textpipe.tasks.question_answering import QuestionAnswering
    from textpipe.tasks.regression import Regression
    from textpipe.tasks.tagging import Tagging

    if isinstance(shape, ClassifierConfig):
        return Classification(shape, tokenizer)
    if isinstance(shape, RegressorConfig):
        return Regression(shape, tokenizer)
    if isinstance(shape, TaggerConfig):
        return Tagging(shape, tokenizer)
    return QuestionAnswering(shape, tokenizer)
