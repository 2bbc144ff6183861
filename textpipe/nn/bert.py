"""BERT: a Transformer encoder that reads both ways (Devlin et al. 2018), with the heads it is pretrained with.

What enters: token ids, where each text ends, and which segment a token is of. What leaves: hidden states; from them the
logits of masked tokens, and of whether the second segment follows the first. With the same weights they agree with
``transformers``' ``BertForMaskedLM`` and ``BertForPreTraining``, gradients included.

Axes: B sequence, T position, D model width, V vocabulary.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from textpipe.errors import StateError
from textpipe.nn.attention import document_mask, padding_mask
from textpipe.nn.blocks import Block, BlockShape
from textpipe.nn.shapes import BertConfig, EncoderConfig

__all__ = ["BERT", "BertConfig", "BertEncoder"]


class BertEncoder(nn.Module):
    """Embeddings and blocks: what every BERT has, whatever heads stand on it."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        shape = BlockShape(
            width=config.width,
            heads=config.heads,
            feed_forward=config.inner_width,
            activation="gelu",
            norm_first=False,
            norm_epsilon=config.norm_epsilon,
            dropout=config.dropout,
        )
        self.token_embedding = nn.Embedding(config.vocab_size, config.width)
        self.position_embedding = nn.Embedding(config.context, config.width)
        self.segment_embedding = nn.Embedding(config.segment_types, config.width)
        self.embedding_norm = shape.new_norm()
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(config.layers))

    @torch.no_grad()
    def _draw_weights(self, seed: int) -> None:
        """normal(0, 0.02), zero biases."""
        generator = torch.Generator().manual_seed(seed)
        for name, weight in self.named_parameters():
            if name.endswith("bias"):
                weight.zero_()
            elif weight.dim() == 2:
                weight.normal_(0.0, 0.02, generator=generator)

    def forward(
        self,
        tokens_BT: torch.Tensor,
        *,
        lengths_B: torch.Tensor | None = None,
        segments_BT: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Hidden states (B, T, D). Positions from ``lengths_B`` on are padding: nothing attends to them.

        ``segments_BT`` is 0 for the first text (when absent: all of it), 1 for the second.
        """
        return self._states(tokens_BT, lengths_B, segments_BT)

    def _states(
        self,
        tokens_BT: torch.Tensor,
        lengths_B: torch.Tensor | None,
        segments_BT: torch.Tensor | None,
        positions_BT: torch.Tensor | None = None,
        documents_BT: torch.Tensor | None = None,
    ) -> torch.Tensor:
        length = tokens_BT.shape[1]
        mask = None if lengths_B is None else padding_mask(lengths_B, length)
        mask = mask if documents_BT is None else document_mask(documents_BT)
        if positions_BT is None:
            positions_BT = torch.arange(length, device=tokens_BT.device)[None]
        segments_BT = torch.zeros_like(tokens_BT) if segments_BT is None else segments_BT
        x_BTD = self.token_embedding(tokens_BT) + self.segment_embedding(segments_BT)
        x_BTD = self.dropout(self.embedding_norm(x_BTD + self.position_embedding(positions_BT)))
        for block in self.blocks:
            x_BTD = block(x_BTD, mask)
        states_BTD: torch.Tensor = x_BTD
        return states_BTD


class BERT(BertEncoder):
    """The encoder and its pretraining heads.

    Parameters
    ----------
    config : its shape.
    seed : of the first weights: the same seed gives the same model.

    Examples
    --------
    >>> model = BERT(BertConfig(vocab_size=100, context=8, layers=1, heads=2, width=16), seed=0)
    >>> states = model(torch.tensor([[1, 2, 3, 0]]), lengths_B=torch.tensor([3]))
    >>> model.logits(states).shape
    torch.Size([1, 4, 100])
    """

    def __init__(self, config: BertConfig, *, seed: int = 0) -> None:
        super().__init__(config)
        self.pooler = nn.Linear(config.width, config.width) if config.next_sentence else None
        self.next_sentence = nn.Linear(config.width, 2) if config.next_sentence else None
        self.transform = nn.Linear(config.width, config.width)
        self.transform_norm = nn.LayerNorm(config.width, eps=config.norm_epsilon)
        self.head_bias = nn.Parameter(torch.zeros(config.vocab_size))
        self._draw_weights(seed)

    def forward(
        self,
        tokens_BT: torch.Tensor,
        *,
        lengths_B: torch.Tensor | None = None,
        segments_BT: torch.Tensor | None = None,
        positions_BT: torch.Tensor | None = None,
        documents_BT: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Hidden states (B, T, D), as :meth:`BertEncoder.forward`, or of several documents a sequence.

        Then ``documents_BT`` says which document a token is of, ``positions_BT`` its place in it; attention stays
        inside a document, and ``lengths_B`` says nothing.
        """
        return self._states(tokens_BT, lengths_B, segments_BT, positions_BT, documents_BT)

    @property
    def head_weight(self) -> torch.Tensor:
        """The (V, D) matrix of the masked-token head: the token embedding."""
        weight: torch.Tensor = self.token_embedding.weight
        return weight

    def head_states(self, x_ND: torch.Tensor) -> torch.Tensor:
        """What the masked-token head multiplies with ``head_weight`` (and adds ``head_bias`` to), (…, D)."""
        states_ND: torch.Tensor = self.transform_norm(functional.gelu(self.transform(x_ND)))
        return states_ND

    def logits(self, x_ND: torch.Tensor) -> torch.Tensor:
        """Logits (…, V) of the token at each of these positions, from their hidden states (…, D)."""
        return functional.linear(self.head_states(x_ND), self.head_weight, self.head_bias)

    def pooled(self, x_BTD: torch.Tensor) -> torch.Tensor:
        """What stands for the whole sequence (B, D): its first position, through the pooler."""
        if self.pooler is None:
            raise StateError("this BERT has no pooler", hint="make it with next_sentence=true")
        return torch.tanh(self.pooler(x_BTD[:, 0]))

    def next_sentence_logits(self, x_BTD: torch.Tensor) -> torch.Tensor:
        """Logits (B, 2): 0 the second segment follows the first, 1 it does not."""
        pooled_BD = self.pooled(x_BTD)
        assert self.next_sentence is not None
        logits_B2: torch.Tensor = self.next_sentence(pooled_BD)
        return logits_B2
