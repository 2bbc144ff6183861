"""Masked language modelling: predict hidden tokens from what stands on both sides of them.

What enters: packed data of a vocabulary with the marks of BERT. What leaves: batches with hidden tokens, the summed
cross-entropy over them in nats, and its mean over the whole validation split, always with the same tokens hidden.

A model with the head for it also tells whether the second half of a sequence follows the first. In a step's loss that
weighs as much as the tokens that are hidden of a sequence on the average, so that the loss is the sum of both means as
in Devlin et al. 2018; the held-out loss is that of hidden tokens alone, beside the share of halves told right.

Axes: B sequence, T position, N hidden token, D model width.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from textpipe.data.batches import IGNORED, Batch
from textpipe.data.masking import Marks, Masking
from textpipe.errors import ConfigError
from textpipe.nn.architectures import new_model
from textpipe.nn.losses import linear_cross_entropy
from textpipe.tasks.base import require_alike, summed_loss
from textpipe.tasks.language_modelling import EVALUATION_ROWS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import nn

    from textpipe.data.packing import PackedData
    from textpipe.data.shards import TokenSplit
    from textpipe.nn.bert import BERT
    from textpipe.nn.shapes import BertConfig
    from textpipe.training.run_config import TrainConfig

__all__ = ["MaskedLanguageModelling", "masked_language_modelling_loss"]

_GROUP = 64  # positions


def masked_language_modelling_loss(
    model: BERT, batch: Batch, *, label_smoothing: float = 0.0, follows_weight: float = 0.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Sum of −ln p(hidden token) over the batch's targets, and their number.

    To the sum ``follows_weight`` · −ln p(of what the second segment is) is added for each sequence of two.
    """
    places = {"positions_BT": batch.positions_BT, "documents_BT": batch.documents_BT}
    states_BTD = model(batch.tokens_BT, segments_BT=batch.segments_BT, **places)
    # The head is computed where it is asked for, and in whole groups: a kernel is made for every new number of rows.
    targets = batch.targets_BT.flatten()
    (hidden_N,) = (targets != IGNORED).nonzero(as_tuple=True)
    missing = -len(hidden_N) % _GROUP
    targets_N = functional.pad(targets[hidden_N], (0, missing), value=IGNORED)
    states_ND = model.head_states(states_BTD.flatten(0, 1)[functional.pad(hidden_N, (0, missing))])
    total, count = linear_cross_entropy(
        states_ND, model.head_weight, targets_N, bias_V=model.head_bias, label_smoothing=label_smoothing
    )
    if follows_weight and batch.follows_B is not None:
        logits_B2 = model.next_sentence_logits(states_BTD).float()
        total = total + follows_weight * functional.cross_entropy(
            logits_B2, batch.follows_B, ignore_index=IGNORED, reduction="sum"
        )
    return total, count


class MaskedLanguageModelling:
    """The task of an encoder on packed data."""

    def __init__(self, model: BertConfig, data: PackedData, config: TrainConfig) -> None:
        from textpipe.tokenizer import Tokenizer

        require_alike(model, data, "vocab_size")
        if model.next_sentence and model.segment_types < 2:
            raise ConfigError("with next_sentence there are two kinds of segments", where="segment_types")
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
            next_sentence=self.model.next_sentence,
            document_mask=config.document_mask,
        )

    @property
    def tokenizer_files(self) -> dict[str, bytes]:
        return {"tokenizer.json": self.data.tokenizer_path.read_bytes()}

    def new_model(self, seed: int) -> nn.Module:
        return new_model(self.model, seed=seed)

    def batch(self, step: int) -> Batch:
        return self._train.batch(step)

    def loss(self, model: BERT, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        return masked_language_modelling_loss(
            model,
            batch,
            label_smoothing=self.config.label_smoothing,
            follows_weight=self.config.mask_share * self._train.num_inner if self.model.next_sentence else 0.0,
        )

    def validate(self, model: BERT, dtype: torch.dtype) -> dict[str, float | None]:
        device = model.head_weight.device
        nats, done = summed_loss(
            lambda batch: masked_language_modelling_loss(model, batch), self._val_batches(), device, dtype
        )
        scores = {"val_loss": nats / done if done else None}
        if self.model.next_sentence:
            right, told = summed_loss(lambda batch: _told_right(model, batch), self._val_batches(), device, dtype)
            scores["val_next_sentence_accuracy"] = right / told if told else None
        return scores

    def _val_batches(self) -> Iterator[Batch]:
        return self._val.consecutive(min(self.config.batch_size, EVALUATION_ROWS))

    def baseline(self) -> dict[str, float | None]:
        """The unigram entropy of the tokens that are hidden in the validation split, under its own frequencies."""
        targets = [batch.targets_BT for batch in self._val.consecutive(EVALUATION_ROWS)]
        hidden = np.bincount(torch.cat([rows[rows != IGNORED] for rows in targets]).numpy())
        seen = hidden[hidden > 0].astype(np.float64)
        entropy = -float((seen * np.log(seen / seen.sum())).sum() / seen.sum()) if len(seen) else None
        return {"unigram_entropy": entropy}

    def samples(self, model: BERT) -> list[dict[str, str]]:
        return []  # an encoder writes nothing


def _told_right(model: BERT, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Of how many sequences it is told right whether the second segment follows the first, and of how many asked."""
    assert batch.follows_B is not None
    told_B = model.next_sentence_logits(model(batch.tokens_BT, segments_BT=batch.segments_BT)).argmax(dim=-1)
    return (told_B == batch.follows_B).sum(), (batch.follows_B != IGNORED).sum()
