"""The Transformer: an encoder that reads a source and a decoder that writes a target (Vaswani et al. 2017).

What enters: ids of sources, where each ends, and ids of targets. What leaves: hidden states of the target, and from
them logits of its next token. With the same weights they agree with ``transformers``' ``MarianMTModel`` (layout
``post``), ``PegasusForConditionalGeneration`` (layout ``pre``) and ``M2M100ForConditionalGeneration`` (``pre`` with
positions as fairseq has them), gradients included. Embeddings are shared by source, target and output, unless the
source has a vocabulary of its own; then by target and output.

Axes: B sequence, S position of the source, T of the target, D model width, V vocabulary.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import nn
from torch.nn import functional

from textpipe.nn.attention import KeyValueCache, padding_mask
from textpipe.nn.blocks import Block, BlockShape, DecoderBlock
from textpipe.nn.shapes import TransformerConfig

__all__ = ["Source", "Transformer", "TransformerConfig", "sinusoids"]


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A source that was read: each decoder block's keys and values of it, and the mask of what is padding."""

    lengths_B: torch.Tensor
    keys_values: tuple[tuple[torch.Tensor, torch.Tensor], ...]
    mask: torch.Tensor

    def select(self, rows_B: torch.Tensor) -> Source:
        """The same for these sequences, in this order; one may be taken several times."""
        chosen = tuple((keys[rows_B], values[rows_B]) for keys, values in self.keys_values)
        return replace(self, lengths_B=self.lengths_B[rows_B], keys_values=chosen, mask=self.mask[rows_B])


def sinusoids(positions_T: torch.Tensor, width: int, *, kind: str) -> torch.Tensor:
    """Position vectors (T, D): the sines in the first half, the cosines in the second.

    ``vaswani`` has the wavelengths of Vaswani et al., 10000^(2i / D); ``fairseq`` its own, 10000^(i / (D/2 − 1)), and
    counts positions from 2.
    """
    half = width // 2
    exponents = torch.arange(half, dtype=torch.float64, device=positions_T.device)
    exponents = exponents / half if kind == "vaswani" else exponents / max(1, half - 1)
    places_T = positions_T.double() if kind == "vaswani" else positions_T.double() + 2
    angles_TK = places_T[:, None] * torch.exp(-math.log(10_000.0) * exponents)[None]
    return torch.cat([angles_TK.sin(), angles_TK.cos()], dim=1).float()


class Transformer(nn.Module):
    """Encoder and decoder.

    Parameters
    ----------
    config : its shape.
    seed : of the first weights: the same seed gives the same model.

    Examples
    --------
    >>> model = Transformer(TransformerConfig(vocab_size=50, width=16, heads=2, encoder_layers=1, decoder_layers=1))
    >>> memory = model.encode(torch.tensor([[5, 6, 7, 0]]), torch.tensor([3]))
    >>> model.logits(model.decode(torch.tensor([[1, 8]]), memory)).shape
    torch.Size([1, 2, 50])
    """

    def __init__(self, config: TransformerConfig, *, seed: int = 0) -> None:
        super().__init__()
        self.config = config
        shape = BlockShape(
            width=config.width,
            heads=config.heads,
            feed_forward=config.inner_width,
            activation=config.activation,
            norm_first=config.layout == "pre",
            norm_epsilon=config.norm_epsilon,
            dropout=config.dropout,
        )
        self.embedding = nn.Embedding(config.vocab_size, config.width)
        separate = config.source_vocab_size
        self.source_embedding = None if separate is None else nn.Embedding(separate, config.width)
        self.embedding_scale = math.sqrt(config.width) if config.scaled_embedding else 1.0
        self.dropout = nn.Dropout(config.dropout)
        self.encoder = nn.ModuleList(Block(shape) for _ in range(config.encoder_layers))
        self.decoder = nn.ModuleList(DecoderBlock(shape) for _ in range(config.decoder_layers))
        self.encoder_norm = shape.new_norm() if shape.norm_first else nn.Identity()
        self.decoder_norm = shape.new_norm() if shape.norm_first else nn.Identity()
        self.head_bias = nn.Parameter(torch.zeros(config.vocab_size)) if config.head_bias else None
        places_T = torch.arange(config.context)
        self.register_buffer("positions_TD", sinusoids(places_T, config.width, kind=config.positions), persistent=False)
        self.positions_TD: torch.Tensor
        self._draw_weights(seed)

    @torch.no_grad()
    def _draw_weights(self, seed: int) -> None:
        """Embeddings normal(0, 1/√D), matrices uniform after Glorot, zero biases."""
        generator = torch.Generator().manual_seed(seed)
        for name, weight in self.named_parameters():
            if name.endswith("bias"):
                weight.zero_()
            elif name.endswith("embedding.weight"):
                weight.normal_(0.0, self.config.width**-0.5, generator=generator)
            elif weight.dim() == 2:
                nn.init.xavier_uniform_(weight, generator=generator)

    def _embedded_source(self, source_BS: torch.Tensor) -> torch.Tensor:
        return self._embedded(source_BS, self.source_embedding or self.embedding)

    def _embedded_target(self, target_BT: torch.Tensor, start: int) -> torch.Tensor:
        return self._embedded(target_BT, self.embedding, start)

    def _embedded(
        self, tokens_BT: torch.Tensor, table: nn.Embedding, start: int = 0, added_D: torch.Tensor | None = None
    ) -> torch.Tensor:
        x_BTD = table(tokens_BT) * self.embedding_scale
        x_BTD = x_BTD if added_D is None else x_BTD + added_D
        embedded_BTD: torch.Tensor = self.dropout(x_BTD + self.positions_TD[start : start + tokens_BT.shape[1]])
        return embedded_BTD

    def encode(self, source_BS: torch.Tensor, lengths_B: torch.Tensor) -> Source:
        """Read sources; positions from ``lengths_B`` on are padding."""
        mask = padding_mask(lengths_B, source_BS.shape[1])
        x_BSD = self._embedded_source(source_BS)
        for block in self.encoder:
            x_BSD = block(x_BSD, mask)
        x_BSD = self.encoder_norm(x_BSD)
        read = tuple(block.source_attention.keys_values(x_BSD) for block in self.decoder)  # type: ignore[union-attr, operator]
        return Source(lengths_B, read, mask)

    def decode(self, target_BT: torch.Tensor, memory: Source) -> torch.Tensor:
        """Hidden states (B, T, D) of whole targets, each position seeing those before it."""
        return self._decode(target_BT, memory, None)

    def start(self, memory: Source) -> KeyValueCache:
        """The cache of targets of which nothing is written yet."""
        return KeyValueCache(
            layers=self.config.decoder_layers,
            batch=len(memory.lengths_B),
            heads=self.config.heads,
            capacity=self.config.context,
            head_width=self.config.width // self.config.heads,
            device=self.head_weight.device,
            dtype=self.head_weight.dtype,
        )

    def step(self, tokens_B1: torch.Tensor, memory: Source, state: KeyValueCache) -> torch.Tensor:
        """Hidden states (B, 1, D) of the next position; what was written before stands in ``state``."""
        return self._decode(tokens_B1, memory, state)

    def _decode(self, target_BT: torch.Tensor, memory: Source, cache: KeyValueCache | None) -> torch.Tensor:
        x_BTD = self._embedded_target(target_BT, 0 if cache is None else cache.length)
        for layer, block in enumerate(self.decoder):
            x_BTD = block(x_BTD, memory.keys_values[layer], memory.mask, cache=cache, layer=layer)
        if cache is not None:
            cache.length += target_BT.shape[1]
        normed_BTD: torch.Tensor = self.decoder_norm(x_BTD)
        return normed_BTD

    def forward(self, source_BS: torch.Tensor, lengths_B: torch.Tensor, target_BT: torch.Tensor) -> torch.Tensor:
        """:meth:`encode`, then :meth:`decode`."""
        return self.decode(target_BT, self.encode(source_BS, lengths_B))

    @property
    def head_weight(self) -> torch.Tensor:
        """The (V, D) matrix that turns hidden states into logits: the target's embedding."""
        weight: torch.Tensor = self.embedding.weight
        return weight

    def logits(self, x_BTD: torch.Tensor) -> torch.Tensor:
        """Logits (…, V) of the next token from hidden states (…, D)."""
        return functional.linear(x_BTD, self.head_weight, self.head_bias)
