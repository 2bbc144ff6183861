"""Fine-tuning: an encoder learns to tell labels, numbers, tags or answers from examples.

What enters: files of examples, a tokenizer and weights to begin with. What leaves: a task for the loop: batches of
windows, their loss, and after each look at the held-out examples the measures of the task. The measures of the examples
that were held out decide which checkpoint is the best.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import nn

from textpipe.data.framing import with_marks
from textpipe.data.masking import Marks
from textpipe.data.training_data import TrainingData
from textpipe.errors import InputError
from textpipe.files import sha256_file
from textpipe.nn.architectures import new_model
from textpipe.tasks.base import require_alike
from textpipe.tasks.encoder_tasks import EncoderTask, encoder_task
from textpipe.tasks.prediction import READ_AT_ONCE, logits_of, predict, unpadded
from textpipe.tasks.windows import Window, WindowBatch, WindowPlan, in_order_of_length

if TYPE_CHECKING:
    from textpipe.data.example_files import AnyExample, ExampleFormat
    from textpipe.nn.shapes import EncoderConfig
    from textpipe.tokenizer import Tokenizer
    from textpipe.training.run_config import TrainConfig

__all__ = ["FineTuning", "LabelledData", "Reading"]

StrPath = str | os.PathLike[str]
_NUM_SAMPLES = 4


class Reading(NamedTuple):
    """Examples as a model of one shape reads them.

    ``num_lost`` labels or answers of the training cannot be learnt; ``num_cut`` texts are longer than it reads.
    """

    task: EncoderTask
    train: list[Window]
    val: list[Window]
    num_lost: int
    num_cut: int


class LabelledData(TrainingData):
    """Examples of a task, to learn from and held out, and the tokenizer they are read with.

    Parameters
    ----------
    train, val : files, or examples.
    format_ : what is told of the texts, and how files hold it.
    tokenizer : of the encoder; it needs the marks of BERT.

    Raises
    ------
    InputError, FormatError
        when a file has no example, or a line that is wrong.
    ConfigError
        when the tokenizer has no marks.
    """

    def __init__(
        self,
        train: Sequence[StrPath] | Sequence[AnyExample],
        val: Sequence[StrPath] | Sequence[AnyExample],
        format_: ExampleFormat,
        tokenizer: Tokenizer,
    ) -> None:
        if not train or not val:
            raise InputError("nothing to learn from" if not train else "nothing is held out")
        marks = Marks.of(tokenizer, eos_id=0)
        self.tokenizer, self.eos_id = with_marks(tokenizer, marks), marks.end
        self.format = format_
        self.train, self.val = (_examples(side, format_) for side in (train, val))
        first = train[0]
        self.path = Path(first if isinstance(first, str | os.PathLike) else first.where.partition(": ")[0])
        digests = [[_digest(one) for one in side] for side in (train, val)]
        self.fingerprint = hashlib.sha256(repr((digests, format_)).encode()).hexdigest()
        self.tokenizer_sha256, self.vocab_size = self.tokenizer.sha256, self.tokenizer.get_vocab_size()
        self._read: tuple[EncoderConfig, Reading] | None = None

    def read(self, shape: EncoderConfig) -> Reading:
        """All examples as windows for a model of this shape.

        Raises
        ------
        InputError
            for a held-out label that training has not, a tag that is none, or a question that leaves no room.
        """
        if self._read is None or self._read[0] != shape:
            task = encoder_task(shape, self.tokenizer)
            train, num_lost = [each.learnt for each in task.windows(self.train)], task.num_lost
            val = task.windows(self.val)
            self._read = shape, Reading(task, train, val, num_lost, task.num_cut)
        return self._read[1]

    def notes(self, model: EncoderConfig) -> list[str]:
        found, made = self.read(model), []
        if found.num_lost:
            made.append(f"{found.task.lost_as.replace('_', ' ')}, so that they cannot be learnt: {found.num_lost:,}")
        if found.num_cut:
            most, all_ = f"the {model.context:,} tokens the model reads", len(self.train) + len(self.val)
            made.append(f"texts of more than {most}, which are cut: {found.num_cut:,} of {all_:,}")
        return made

    def shape_facts(self) -> dict[str, Any]:
        """What the training examples say about the shape of a model: its labels, or the unit of its numbers.

        Raises
        ------
        InputError
            for a label that is not a number, a single label, or numbers that are all the same.
        """
        import numpy as np

        from textpipe.data.labelled_text import Labels
        from textpipe.tasks.tagging import tags_of

        if self.format.task == "tags":
            return {"labels": tags_of(self.train)}
        if self.format.task == "answer":
            return {"may_be_unanswered": any(not question.answers for question in self.train)}
        if self.format.task == "label":
            names = Labels.of(self.train).names
            if len(names) < 2:
                raise InputError(f"{''.join(names)!r} is the only label", where=self.path, allowed="2 or more")
            return {"labels": names}
        scores = np.array([example.score for example in self.train])
        if (scores == scores[0]).all():
            raise InputError(f"every score is {scores[0]:g}", where=self.path, allowed="2 different ones or more")
        return {"mean": round(float(scores.mean()), 6), "spread": round(float(scores.std()), 6)}


def _examples(side: Sequence[Any], format_: ExampleFormat) -> list[Any]:
    from textpipe.data.example_files import read_examples

    return read_examples(side, format_) if isinstance(side[0], str | os.PathLike) else list(side)


def _digest(one: StrPath | AnyExample) -> str:
    if isinstance(one, str | os.PathLike):
        return sha256_file(Path(one))
    return hashlib.sha256(repr(one).encode()).hexdigest()


class FineTuning:
    """The task of an encoder with a head on labelled examples."""

    def __init__(self, model: EncoderConfig, data: LabelledData, config: TrainConfig) -> None:
        require_alike(model, data, "vocab_size")
        self.model, self.data, self.config = model, data, config
        self._task, train, self._val, self._num_lost, self._num_cut = data.read(model)
        self._plan = WindowPlan(train, batch_size=config.batch_size, seed=config.seed)

    @property
    def tokenizer_files(self) -> dict[str, bytes]:
        return {"tokenizer.json": self.data.tokenizer.to_str(pretty=True).encode()}

    def new_model(self, seed: int) -> nn.Module:
        return new_model(self.model, seed=seed)

    def batch(self, step: int) -> WindowBatch:
        return self._plan.batch(step)

    def loss(self, model: Any, batch: WindowBatch) -> tuple[torch.Tensor, torch.Tensor]:
        return self._task.loss(logits_of(model, batch), batch)

    @torch.no_grad()
    def validate(self, model: Any, dtype: torch.dtype) -> dict[str, float | None]:
        device, total, count = next(model.parameters()).device, 0.0, 0
        logits: dict[int, torch.Tensor] = {}
        for numbers, batch in in_order_of_length(self._val, READ_AT_ONCE):
            moved = batch.to(device)
            with torch.autocast(device.type, dtype=dtype, enabled=dtype != torch.float32):
                found = logits_of(model, moved)
                loss, targets = self._task.loss(found, moved)
            total, count = total + loss.item(), count + int(targets)
            logits |= unpadded(numbers, batch, found)
        told = self._task.predictions(self.data.val, self._val, [logits[number] for number in range(len(self._val))])
        scores = self._task.scores(self.data.val, told)
        return {"val_loss": total / count if count else None} | {f"val_{name}": scores[name] for name in scores}

    def baseline(self) -> dict[str, float | None]:
        facts: dict[str, float | None] = {
            "examples": len(self.data.train),
            "steps_per_epoch": self._plan.steps_per_epoch,
        }
        counts = {self._task.lost_as: self._num_lost, "texts_cut": self._num_cut}
        return facts | {name: count for name, count in counts.items() if count}

    def samples(self, model: Any) -> list[dict[str, str]]:
        shown = self.data.val[:_NUM_SAMPLES]
        return [self._task.sample(*both) for both in zip(shown, predict(model, self._task, shown), strict=True)]
