"""Masked language modelling: predict hidden tokens from what stands on both sides of them.

What enters: packed data of a vocabulary with the marks of BERT. What leaves: batches with hidden tokens, the summed
cross-entropy over them in nats, and its mean over the whole validation split, always with the same tokens hidden.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from textpipe.data.batches import IGNORED, Batch
from textpipe.data.masking import Marks, Masking
from textpipe.nn.architectures import new_model
from textpipe.nn.losses import linear_cross_entropy
from textpipe.tasks.base import require_alike, summed_loss
from textpipe.tasks.language_modelling import EVALUATION_ROWS

if TYPE_CHECKING:
    from torch import nn

    from textpipe.data.packing import PackedData
    from textpipe.data.shards import TokenSplit
    from textpipe.nn.bert import BERT
    from textpipe.nn.shapes import BertConfig
    from textpipe.training.run_config import TrainConfig

__all__ = ["MaskedLanguageModelling", "masked_language_modelling_loss"]

_GROUP = 64  # positions


def masked_language_modelling_loss(
    model: BERT, batch: Batch, *, label_smoothing: float = 0.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Sum of −ln p(hidden token) over the batch's targets, and their number."""
    # The head is computed where it is asked for, and in whole groups: a kernel is made for every new number of rows.
    targets = batch.targets_BT.flatten()
    (hidden_N,) = (targets != IGNORED).nonzero(as_tuple=True)
    missing = -len(hidden_N) % _GROUP
    targets_N = functional.pad(targets[hidden_N], (0, missing), value=IGNORED)
    states_ND = model.head_states(model(batch.tokens_BT).flatten(0, 1)[functional.pad(hidden_N, (0, missing))])
    return linear_cross_entropy(
        states_ND, model.head_weight, targets_N, bias_V=model.head_bias, label_smoothing=label_smoothing
    )


class MaskedLanguageModelling:
    """The task of an encoder on packed data."""

    def __init__(self, model: BertConfig, data: PackedData, config: TrainConfig) -> None:
        from textpipe.tokenizer import Tokenizer

        require_alike(model, data, "vocab_size")
        self.model, self.data, self.config = model, data, config
        self._marks = Marks.of(Tokenizer.from_file(str(data.tokenizer_path)), eos_id=data.eos_id)
        self._train, self._val = self._masking(data.train), self._masking(data.val)

    def _masking(self, split: TokenSplit) -> Masking:
        config = self.config
        return Masking(
            split,
            self._marks,
            batch_size=config.batch_size,
            context=self.model.context,
            seed=config.seed,
            share=config.mask_share,
        )

    @property
    def tokenizer_files(self) -> dict[str, bytes]:
        return {"tokenizer.json": self.data.tokenizer_path.read_bytes()}

    def new_model(self, seed: int) -> nn.Module:
        return new_model(self.model, seed=seed)

    def batch(self, step: int) -> Batch:
        return self._train.batch(step)

    def loss(self, model: BERT, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        return masked_language_modelling_loss(model, batch, label_smoothing=self.config.label_smoothing)

    def validate(self, model: BERT, dtype: torch.dtype) -> dict[str, float | None]:
        batches = self._val.consecutive(min(self.config.batch_size, EVALUATION_ROWS))
        device = model.head_weight.device
        nats, done = summed_loss(lambda batch: masked_language_modelling_loss(model, batch), batches, device, dtype)
        return {"val_loss": nats / done if done else None}

    def baseline(self) -> dict[str, float | None]:
        """The unigram entropy of the tokens that are hidden in the validation split, under its own frequencies."""
        targets = [batch.targets_BT for batch in self._val.consecutive(EVALUATION_ROWS)]
        hidden = np.bincount(torch.cat([rows[rows != IGNORED] for rows in targets]).numpy())
        seen = hidden[hidden > 0].astype(np.float64)
        entropy = -float((seen * np.log(seen / seen.sum())).sum() / seen.sum()) if len(seen) else None
        return {"unigram_entropy": entropy}

    def samples(self, model: BERT) -> list[dict[str, str]]:
        return []  # an encoder writes nothing
