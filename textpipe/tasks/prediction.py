"""What a fine-tuned encoder says of texts.

What enters: a model and texts, pairs of texts, or questions with a text. What leaves: a label, a number, the spans or
the answer of each, in their order.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from textpipe.data.framing import with_marks
from textpipe.data.labelled_text import Example
from textpipe.data.masking import Marks
from textpipe.data.question_text import Question
from textpipe.data.tagged_text import TaggedText
from textpipe.errors import ConfigError, InputError
from textpipe.nn.shapes import BertConfig, EncoderConfig, SpanFinderConfig, TaggerConfig
from textpipe.tasks.encoder_tasks import EncoderTask, Prediction, encoder_task
from textpipe.tasks.windows import Window, WindowBatch, in_order_of_length

if TYPE_CHECKING:
    from textpipe.data.example_files import AnyExample
    from textpipe.evaluation.bootstrap import Interval
    from textpipe.evaluation.labels import ClassScores
    from textpipe.tokenizer import Tokenizer

__all__ = ["READ_AT_ONCE", "PredictionScores", "Predictor", "logits_of", "predict", "unpadded"]

READ_AT_ONCE = 32
"""Windows computed together, those of like length."""


def logits_of(model: Any, batch: WindowBatch) -> torch.Tensor:
    """What the head of a model says of a batch."""
    logits: torch.Tensor = model(batch.tokens_BT, lengths_B=batch.lengths_B, segments_BT=batch.segments_BT)
    return logits


def unpadded(numbers: Sequence[int], batch: WindowBatch, logits: torch.Tensor) -> dict[int, torch.Tensor]:
    """The logits of each window by its number, without those of padding."""
    rows = logits.detach().float().cpu()
    if rows.dim() == 2:
        return dict(zip(numbers, rows, strict=True))
    lengths = batch.lengths_B.tolist()
    return {number: row[:length] for number, row, length in zip(numbers, rows, lengths, strict=True)}


@torch.no_grad()
def predict(
    model: Any,
    task: EncoderTask,
    examples: Sequence[AnyExample],
    *,
    batch_size: int = READ_AT_ONCE,
    is_labelled: bool = False,
) -> list[Prediction]:
    """What a model says of each example, in their order.

    Parameters
    ----------
    model : a fine-tuned encoder, not in training.
    task : of the model's shape, see :func:`~textpipe.tasks.encoder_tasks.encoder_task`.
    examples : of its kind.
    is_labelled : whether their labels are looked at, which changes nothing but that those unknown are refused.

    Raises
    ------
    InputError
        for a label that the model has not, naming its line.
    """
    windows: list[Window] = task.windows(examples, is_labelled=is_labelled)
    device = next(model.parameters()).device
    logits: dict[int, torch.Tensor] = {}
    for numbers, batch in in_order_of_length(windows, batch_size):
        logits |= unpadded(numbers, batch, logits_of(model, batch.to(device)))
    return task.predictions(examples, windows, [logits[number] for number in range(len(windows))])


class PredictionScores(NamedTuple):
    """By measure, each with its interval; and how well each label or type is found, where there are any."""

    measures: dict[str, Interval]
    classes: dict[str, ClassScores]


class Predictor:
    """A fine-tuned encoder with its tokenizer.

    Parameters
    ----------
    model : of :mod:`textpipe.nn.bert_heads`, not in training.
    tokenizer : the model's own.

    Raises
    ------
    ConfigError
        when the model was not fine-tuned.

    Examples
    --------
    >>> predictor = Predictor.open("run")  # doctest: +SKIP
    >>> [str(each) for each in predictor.predict(["정말 재미있는 영화", "시간이 아깝다"])]  # doctest: +SKIP
    ['긍정 0.981', '부정 0.954']
    """

    def __init__(self, model: Any, tokenizer: Tokenizer) -> None:
        shape = model.config
        if not isinstance(shape, EncoderConfig) or isinstance(shape, BertConfig):
            raise ConfigError(
                "this model was not fine-tuned to tell anything",
                allowed="what textpipe train finetune wrote, or such a folder of transformers",
                hint="textpipe generate writes with other models, and fills the masks of a bert",
            )
        self.model, self.shape = model, shape
        self.task = encoder_task(shape, with_marks(tokenizer, Marks.of(tokenizer, eos_id=0)))

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, newest: bool = False, device: str = "cpu") -> Predictor:
        """The model of a run (its best checkpoint, or its ``newest``), a checkpoint, or a folder of `transformers`."""
        from textpipe.training.loading import load_model

        best = not newest and (Path(path) / "checkpoints").is_dir()
        model, tokenizer, _ = load_model(path, best=best, device=device)
        return cls(model, tokenizer)

    def examples(self, texts: Iterable[str | tuple[str, str]]) -> Iterator[AnyExample]:
        """Texts, pairs of texts, or questions each with its text, as examples without a label.

        Raises
        ------
        InputError
            naming the number of one that is empty, a question without a text, or a pair for a model that marks spans.
        """
        for number, item in enumerate(texts, 1):
            text, second = (item, None) if isinstance(item, str) else item
            where = f"text {number}"
            if not text.strip():
                raise InputError("an empty text", where=where)
            if isinstance(self.shape, SpanFinderConfig):
                if second is None:
                    raise InputError("a question without the text it is asked about", where=where)
                yield Question(str(number), text, second, (), where)
            elif isinstance(self.shape, TaggerConfig):
                if second is not None:
                    raise InputError("two texts, where spans are marked in one", where=where)
                yield TaggedText(text, (), (), where)
            else:
                yield Example(text, second, "", where)

    def predict(
        self, texts: Sequence[str | tuple[str, str] | AnyExample], *, batch_size: int = READ_AT_ONCE
    ) -> list[Prediction]:
        """What the model says of each text, pair or example."""
        plain = [item for item in texts if isinstance(item, str | tuple)]
        examples = list(self.examples(plain)) if len(plain) == len(texts) else texts
        return predict(self.model, self.task, examples, batch_size=batch_size)  # type: ignore[arg-type]

    def score(self, examples: Sequence[AnyExample], *, batch_size: int = READ_AT_ONCE) -> PredictionScores:
        """How well labelled examples are told.

        Raises
        ------
        InputError
            for a label that the model has not, which it could never tell, naming its line.
        """
        told = predict(self.model, self.task, examples, batch_size=batch_size, is_labelled=True)
        return PredictionScores(self.task.intervals(examples, told), self.task.by_class(examples, told))
