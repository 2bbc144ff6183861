"""One encoder and decoder for two languages, in any direction.

What enters: the shape of a Transformer and the names of two languages. What leaves: a Transformer that adds a vector of
the language to every position of source and target (Lample et al. 2018; Conneau, Lample 2019), and that writes only
tokens of the target's language. All weights are shared, so what is learned of one direction serves the other.

A model *faces* a direction: :meth:`Bilingual.facing` gives the same weights in another one, and every search, task and
page that knows a Transformer works with it as it is.

Axes: as in :mod:`textpipe.nn.transformer`; L language.
"""

from __future__ import annotations

import copy
import math
from typing import Self

import torch
from torch import nn
from torch.nn import functional

from textpipe.nn.shapes import BilingualConfig
from textpipe.nn.transformer import Transformer

__all__ = ["Bilingual", "BilingualConfig"]


class Bilingual(Transformer):
    """A Transformer of two languages, facing from the first to the second.

    Parameters
    ----------
    config : its shape.
    seed : of the first weights.

    Examples
    --------
    >>> shape = BilingualConfig(vocab_size=9, width=8, heads=2, languages=("ko", "en"))
    >>> model = Bilingual(shape)
    >>> model.direction, model.facing(1, 0).direction, model.direction
    ((0, 1), (1, 0), (0, 1))
    """

    config: BilingualConfig
    words_LV: torch.Tensor

    def __init__(self, config: BilingualConfig, *, seed: int = 0) -> None:
        super().__init__(config, seed=seed)
        self.direction = (0, 1)
        self.language_embedding = nn.Embedding(2, config.width)
        nn.init.normal_(
            self.language_embedding.weight, 0.0, 1.0, generator=torch.Generator().manual_seed((seed + 1) % (1 << 63))
        )
        self.register_buffer("words_LV", torch.ones(2, config.vocab_size, dtype=torch.bool))

    def facing(self, source: int, target: int) -> Self:
        """The same model, its weights shared, from one language to another (or to itself)."""
        turned = copy.copy(self)
        turned.direction = (source, target)
        return turned

    def _embedded_source(self, source_BS: torch.Tensor) -> torch.Tensor:
        return self._embedded(source_BS, self.embedding, 0, self.language_embedding.weight[self.direction[0]])

    def _embedded_target(self, target_BT: torch.Tensor, start: int) -> torch.Tensor:
        return self._embedded(target_BT, self.embedding, start, self.language_embedding.weight[self.direction[1]])

    def logits(self, x_BTD: torch.Tensor) -> torch.Tensor:
        """Logits (…, V) of the next token; -inf for what the target's language has not."""
        spoken_V = self.words_LV[self.direction[1]]
        return functional.linear(x_BTD, self.head_weight, self.head_bias).masked_fill(~spoken_V, -math.inf)
