"""Bits per byte of a language model over a whole split.

What enters: a model and a split. What leaves: nats per token, and bits per byte of UTF-8 text, which can be compared
between models of different vocabularies. Nothing is sampled: every token of the split is predicted exactly once, in
consecutive windows of the model's context, so the same model always gives the same number.

What is counted. The sum is over all tokens, the eos after each document included: the model must also say where a text
ends. The first token of a document is predicted from the eos before it. The bytes are those of the texts alone, before
normalisation. So bits per byte = (sum of nats) / ln 2 / (bytes of text), and a document's end is charged to its text.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from textpipe.data.batches import consecutive_batches
from textpipe.tasks.language_modelling import language_modelling_loss

if TYPE_CHECKING:
    from collections.abc import Callable

    from textpipe.data.shards import TokenSplit
    from textpipe.nn.gpt import GPT

__all__ = ["Score", "bits_per_byte", "unigram_score"]


@dataclass(frozen=True, slots=True)
class Score:
    """Summed loss over a split, and what it was summed over."""

    nats: float
    num_tokens: int
    text_bytes: int

    @property
    def loss(self) -> float:
        """Nats a token."""
        return self.nats / self.num_tokens

    @property
    def perplexity(self) -> float:
        """exp(loss); depends on the vocabulary."""
        return math.exp(min(self.loss, 700.0))

    @property
    def bits_per_byte(self) -> float:
        """Bits a byte of text; comparable between vocabularies. Not a number when the split holds no text."""
        return self.nats / math.log(2) / self.text_bytes if self.text_bytes else math.nan


@torch.no_grad()
def bits_per_byte(
    model: GPT,
    split: TokenSplit,
    *,
    batch_size: int = 16,
    document_mask: bool = False,
    begin_id: int | None = None,
    dtype: torch.dtype = torch.float32,
    progress: Callable[..., None] | None = None,
) -> Score:
    """Score a model on a whole split.

    Parameters
    ----------
    batch_size : windows read at once; changes speed and memory, and the result in the last digits only.
    document_mask : whether attention stops at document borders, as the model was trained.
    begin_id : the token a document's first one is predicted from, where that is not eos.
    dtype : the type matrix products run in.
    progress : called as ``progress("validate", tokens_done, tokens, unit="tokens")``.

    Examples
    --------
    >>> score = bits_per_byte(model, PackedData("shards").val)  # doctest: +SKIP
    >>> score.bits_per_byte  # doctest: +SKIP
    1.83
    """
    device = model.head_weight.device
    was_training = model.training
    model.eval()
    nats, done = 0.0, 0
    batches = consecutive_batches(
        split, batch_size=batch_size, context=model.config.context, document_mask=document_mask
    )
    for batch in batches:
        if begin_id is not None:  # eos ends every document and stands nowhere else
            batch.tokens_BT.masked_fill_(batch.tokens_BT == split.eos_id, begin_id)
        with torch.autocast(device.type, dtype=dtype, enabled=dtype != torch.float32):
            total, count = language_modelling_loss(model, batch.to(device))
        nats += total.item()
        done += int(count.item())
        if progress is not None:
            progress("validate", done, split.num_tokens, unit="tokens")
    model.train(was_training)
    return Score(nats, done, split.text_bytes)


def unigram_score(split: TokenSplit) -> Score:
    """The split under its own token frequencies: its unigram entropy.

    The best any model can do that knows how common each token is and nothing of its surroundings; a trained model must
    be clearly below it.
    """
    counts = split.counts()
    seen = counts[counts > 0].astype(np.float64)
    nats = -float((seen * np.log(seen / seen.sum())).sum())
    return Score(nats, int(seen.sum()), split.text_bytes)
