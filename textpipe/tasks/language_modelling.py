"""Language modelling: predict each token from those before it.

What enters: a model and a :class:`~textpipe.data.batches.Batch`. What leaves: the summed cross-entropy in nats and the
number of tokens it was summed over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textpipe.nn.losses import linear_cross_entropy

if TYPE_CHECKING:
    import torch

    from textpipe.data.batches import Batch
    from textpipe.nn.gpt import GPT

__all__ = ["LanguageModelling"]


class LanguageModelling:
    """The task of a decoder-only model."""

    def loss(self, model: GPT, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Sum of −ln p(target) over the batch's targets, and their number."""
        x_BTD = model(batch.tokens_BT, positions_BT=batch.positions_BT, segments_BT=batch.segments_BT)
        return linear_cross_entropy(x_BTD.flatten(0, 1), model.head_weight, batch.targets_BT.flatten())
