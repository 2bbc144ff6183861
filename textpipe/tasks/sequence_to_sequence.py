"""Sequence to sequence: write a target from a source.

What enters: packed pairs. What leaves: batches of pairs of like length, the summed cross-entropy of the targets in
nats, its mean over the whole validation split, and what the model writes for the first sources of it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from textpipe.data.pair_plans import PairPlan
from textpipe.data.pairs import PairBatch
from textpipe.nn.architectures import new_model
from textpipe.nn.losses import linear_cross_entropy
from textpipe.tasks.base import require_alike, summed_loss
from textpipe.tasks.language_modelling import finite

if TYPE_CHECKING:
    from torch import nn

    from textpipe.data.pairs import PackedPairs, PairSplit
    from textpipe.nn.shapes import Seq2SeqConfig, TransformerConfig
    from textpipe.training.run_config import TrainConfig

__all__ = ["SequenceToSequence", "sequence_to_sequence_loss"]

_NUM_SAMPLES = 4


def sequence_to_sequence_loss(
    model: Any, batch: PairBatch, *, label_smoothing: float = 0.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Sum of −ln p(token of a target) over the batch's targets, and their number."""
    x_BTD = model(batch.source_BS, batch.lengths_B, batch.read_BT)
    targets_N = batch.targets_BT.flatten()
    return linear_cross_entropy(
        x_BTD.flatten(0, 1), model.head_weight, targets_N, bias_V=model.head_bias, label_smoothing=label_smoothing
    )


class SequenceToSequence:
    """The task of an encoder and decoder on pairs. Targets are read from eos on, or from what the data say."""

    def __init__(self, model: TransformerConfig | Seq2SeqConfig, data: PackedPairs, config: TrainConfig) -> None:
        from textpipe.tokenizer import Tokenizer

        require_alike(model, data, "vocab_size", "source_vocab_size")
        self.model, self.data, self.config = model, data, config
        self.tokenizer = Tokenizer.from_file(str(data.tokenizer_path))
        self.source_tokenizer = Tokenizer.from_file(str(data.source_tokenizer_path))
        self._train, self._val = self._plan(data.train), self._plan(data.val)

    def _plan(self, split: PairSplit) -> PairPlan:
        return PairPlan(
            split,
            batch_tokens=self.config.batch_tokens,
            context=self.model.context,
            seed=self.config.seed,
            begin=self.data.begin_id,
        )

    @property
    def tokenizer_files(self) -> dict[str, bytes]:
        files = {"tokenizer.json": self.data.tokenizer_path.read_bytes()}
        if not self.data.is_shared:
            files["source-tokenizer.json"] = self.data.source_tokenizer_path.read_bytes()
        return files

    def new_model(self, seed: int) -> nn.Module:
        return new_model(self.model, seed=seed)

    def batch(self, step: int) -> PairBatch:
        return self._train.batch(step)

    def loss(self, model: Any, batch: PairBatch) -> tuple[torch.Tensor, torch.Tensor]:
        return sequence_to_sequence_loss(model, batch, label_smoothing=self.config.label_smoothing)

    def validate(self, model: Any, dtype: torch.dtype) -> dict[str, float | None]:
        device = model.head_weight.device
        nats, done = summed_loss(
            lambda batch: sequence_to_sequence_loss(model, batch), self._val.consecutive(), device, dtype
        )
        bits = nats / math.log(2) / self.data.val.text_bytes if not self._val.num_too_long else math.nan
        return {"val_loss": nats / done, "val_bits_per_byte": finite(bits)}

    def baseline(self) -> dict[str, float | None]:
        counts = np.bincount(self.data.val.target.tokens)
        seen = counts[counts > 0].astype(np.float64)
        entropy = -float((seen * np.log(seen / seen.sum())).sum() / seen.sum())
        left_out = {"pairs_left_out": float(self._train.num_too_long)} if self._train.num_too_long else {}
        return {"unigram_entropy": entropy, **left_out}

    def samples(self, model: Any) -> list[dict[str, str]]:
        from textpipe.generation.translation import translate_ids
        from textpipe.generation.whole_characters import WholeCharacters

        batch = self.data.val.batch(np.arange(min(_NUM_SAMPLES, self.data.val.num_pairs)), begin=self.data.begin_id)
        sources = [row[:length].tolist() for row, length in zip(batch.source_BS, batch.lengths_B.tolist(), strict=True)]
        sources = [ids[-self.model.context :] for ids in sources]
        before = (self.data.begin_id, *self.data.frame.before_target)
        written = translate_ids(
            model,
            sources,
            eos_id=self.data.eos_id,
            before=before,
            max_tokens=self.config.sample_tokens,
            only=WholeCharacters(self.tokenizer),
        )
        return [
            {
                "prompt": self.source_tokenizer.decode(source),
                "text": self.tokenizer.decode(ids),
                "reference": self.tokenizer.decode(_real(targets, self.data.eos_id)),
            }
            for source, ids, targets in zip(sources, written, batch.targets_BT.tolist(), strict=True)
        ]


def _real(ids: list[Any], eos_id: int) -> list[int]:
    return [number for number in ids if number >= 0 and number != eos_id]
