"""A training's settings as work to plan: how many positions a step has, in what precision, and what it takes here.

What enters: a model's shape and its training. What leaves: the :class:`~textpipe.planning.memory.Workload` of a step,
and the memory a step takes in one process, from which it is told before a run whether there is room.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textpipe.nn.shapes import BilingualConfig, Seq2SeqConfig, TransformerConfig
from textpipe.planning.anatomy import anatomy
from textpipe.planning.memory import PRECISIONS, Layout, Workload, layout_memory

if TYPE_CHECKING:
    from textpipe.training.run_config import ModelConfig, TrainConfig

__all__ = ["precision_of", "step_bytes", "step_sequences", "workload"]


def precision_of(train: TrainConfig, *, on_cpu: bool) -> str:
    """The key of ``PRECISIONS`` a run has: float32 where its ``dtype`` says so, or a CPU decides; else autocast."""
    return "float32" if train.dtype == "float32" or (on_cpu and train.dtype == "auto") else "autocast"


def step_sequences(model: ModelConfig, train: TrainConfig) -> int:
    """Sequences of a step; of pairs as many as there are when each is as long as the context."""
    if isinstance(model, TransformerConfig | Seq2SeqConfig):
        at_once = max(1, train.batch_tokens // model.context)
        # those of two languages, each denoised and translated back
        return 4 * at_once if isinstance(model, BilingualConfig) else at_once
    return train.batch_size


def workload(model: ModelConfig, train: TrainConfig, *, precision: str, on_cpu: bool) -> Workload:
    """What a step of this training has to do."""
    return Workload(
        precision=PRECISIONS[precision],
        batch=step_sequences(model, train),
        positions=model.context,
        muon=train.optimizer == "muon",
        keeps_mean=train.average_decay > 0,
        dropout=model.dropout > 0,
        on_cpu=on_cpu,
    )


def step_bytes(model: ModelConfig, train: TrainConfig) -> float | None:
    """Memory of a step in one process at its fullest: weights, gradients, optimiser, activations; None of a recurrent
    model, whose activations are not counted.

    Notes
    -----
    Within 15 % of what tensors take in measured runs; gaps between them come on top.

    Examples
    --------
    >>> from textpipe.training.presets import preset
    >>> model, train = preset("nano", vocab_size=8000)
    >>> f"{step_bytes(model, train) / 1e9:.1f} GB"
    '1.6 GB'
    """
    if isinstance(model, Seq2SeqConfig):
        return None
    on_cpu = train.device in ("cpu", "auto")
    work = workload(model, train, precision=precision_of(train, on_cpu=on_cpu), on_cpu=on_cpu)
    layout = Layout(recompute=train.checkpoint_activations, micro_batch=train.micro_batch_size or work.batch)
    return layout_memory(anatomy(model, mask_share=train.mask_share), work, layout).total_bytes
