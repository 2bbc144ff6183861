"""Which task trains which architecture, and on which data: the one place that knows.

What enters: a model's shape, data and the training's settings. What leaves: the task, or a refusal that names the data
such a model learns from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from textpipe.data.packing import PackedData
from textpipe.data.pairs import PackedPairs
from textpipe.data.two_corpora import TwoCorpora
from textpipe.errors import ConfigError
from textpipe.tasks.fine_tuning import FineTuning, LabelledData
from textpipe.tasks.language_modelling import LanguageModelling
from textpipe.tasks.masked_language_modelling import MaskedLanguageModelling
from textpipe.tasks.sequence_to_sequence import SequenceToSequence
from textpipe.tasks.unsupervised_translation import UnsupervisedTranslation
from textpipe.training.run_config import FINE_TUNED, architecture_of

if TYPE_CHECKING:
    from textpipe.data.training_data import TrainingData
    from textpipe.tasks.base import Task
    from textpipe.training.run_config import Architecture, ModelConfig, TrainConfig

__all__ = ["LEARNS_FROM", "Learning", "task_for"]


class Learning(NamedTuple):
    """What a model learns from, what makes it, and by which task."""

    data: type[TrainingData]
    made_by: str
    task: Callable[[Any, Any, TrainConfig], Task]


_OF_PAIRS = Learning(PackedPairs, "pack-pairs", SequenceToSequence)
_OF_LABELS = Learning(LabelledData, "train finetune, with labelled examples", FineTuning)

LEARNS_FROM: Mapping[Architecture, Learning] = MappingProxyType(
    {
        "gpt": Learning(PackedData, "pack", LanguageModelling),
        "bert": Learning(PackedData, "pack", MaskedLanguageModelling),
        "transformer": _OF_PAIRS,
        "seq2seq": _OF_PAIRS,
        "bilingual": Learning(
            TwoCorpora, "train unsupervised, with a corpus of each language", UnsupervisedTranslation
        ),
        **dict.fromkeys(FINE_TUNED, _OF_LABELS),
    }
)


def task_for(model: ModelConfig, data: TrainingData, config: TrainConfig) -> Task:
    """The task that trains a model of this shape.

    Raises
    ------
    ConfigError
        when the data are of another kind: pairs for a model of one text, or texts for a model of pairs.
    """
    architecture = architecture_of(model)
    learning = LEARNS_FROM[architecture]
    if not isinstance(data, learning.data):
        raise ConfigError(f"a {architecture} is not trained on this", where=data.path, hint=f"use {learning.made_by}")
    return learning.task(model, data, config)
