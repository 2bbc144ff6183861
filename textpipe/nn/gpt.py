"""GPT: a decoder-only Transformer language model, in the layouts of GPT-1, of GPT-2 and GPT-3, and of Llama.

What enters: token ids. What leaves: hidden states, and from them logits over the vocabulary. With the same weights,
logits, loss and every gradient agree with ``transformers``' ``OpenAIGPTLMHeadModel``, ``GPT2LMHeadModel`` and
``LlamaForCausalLM``. Nothing here knows files, optimisers or data.

Axes: B sequence, T position, D model width, V vocabulary.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

from textpipe.nn.attention import KeyValueCache, Rotation, causal_mask, document_mask, rotation
from textpipe.nn.blocks import Block, BlockShape
from textpipe.nn.shapes import GptConfig

__all__ = ["GPT", "GptConfig"]


class GPT(nn.Module):
    """The language model.

    Parameters
    ----------
    config : its shape.
    seed : of the first weights: the same seed gives the same model.

    Examples
    --------
    >>> model = GPT(GptConfig(vocab_size=100, context=8, layers=1, heads=2, width=16), seed=0)
    >>> model.logits(model(torch.tensor([[1, 2, 3]]))).shape
    torch.Size([1, 3, 100])
    """

    def __init__(self, config: GptConfig, *, seed: int = 0) -> None:
        super().__init__()
        self.config = config
        is_llama = config.layout == "llama"
        shape = BlockShape(
            width=config.width,
            heads=config.heads,
            kv_heads=config.kv_heads,
            feed_forward=config.inner_width,
            activation="swiglu" if is_llama else "gelu_tanh",
            norm_first=config.layout != "gpt1",
            rms_norm=is_llama,
            bias=config.has_bias,
            norm_epsilon=config.norm_epsilon,
            dropout=config.dropout,
        )
        self.token_embedding = nn.Embedding(config.vocab_size, config.width)
        self.position_embedding = None if is_llama else nn.Embedding(config.context, config.width)
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(config.layers))
        self.final_norm = shape.new_norm() if shape.norm_first else nn.Identity()
        self.head = None if config.tied else nn.Linear(config.width, config.vocab_size, bias=False)
        self._draw_weights(seed)

    @torch.no_grad()
    def _draw_weights(self, seed: int) -> None:
        """GPT-2's start: normal(0, 0.02), zero biases; what adds to the stream scaled by 1/√(2 · layers)."""
        generator = torch.Generator().manual_seed(seed)
        for name, weight in self.named_parameters():
            if name.endswith("bias"):
                weight.zero_()
            elif weight.dim() == 2:
                adds_to_stream = name.endswith(("attention.output.weight", "feed_forward.down.weight"))
                scale = 0.02 / math.sqrt(2 * self.config.layers) if adds_to_stream else 0.02
                weight.normal_(0.0, scale, generator=generator)

    def forward(
        self,
        tokens_BT: torch.Tensor,
        *,
        positions_BT: torch.Tensor | None = None,
        documents_BT: torch.Tensor | None = None,
        cache: KeyValueCache | None = None,
    ) -> torch.Tensor:
        """Hidden states (B, T, D), normalised, from which :meth:`logits` predicts the token after each position.

        Parameters
        ----------
        tokens_BT : ids, at most ``context`` of them a sequence (together with what ``cache`` holds).
        positions_BT : place of each token in its text; 0, 1, 2, … when absent.
        documents_BT : document of each token: attention stays inside a document. Not together with ``cache``.
        cache : keys and values of what was read before; the new ones are added.
        """
        length = tokens_BT.shape[1]
        mask = None
        if cache is not None:
            positions_BT, mask = cache.positions_BT(length), cache.mask(length)
        elif documents_BT is not None:
            mask = document_mask(documents_BT) & causal_mask(length, documents_BT.device)
        if positions_BT is None:
            positions_BT = torch.arange(length, device=tokens_BT.device)[None]
        x_BTD, turn = self.token_embedding(tokens_BT), self.turn(positions_BT)
        if self.position_embedding is not None:
            x_BTD = x_BTD + self.position_embedding(positions_BT)
        x_BTD = self.dropout(x_BTD)
        for layer, block in enumerate(self.blocks):
            x_BTD = block(x_BTD, mask, is_causal=True, cache=cache, layer=layer, turn=turn)
        if cache is not None:
            cache.length += length
        normed_BTD: torch.Tensor = self.final_norm(x_BTD)
        return normed_BTD

    def turn(self, positions_BT: torch.Tensor) -> Rotation | None:
        """By how much these positions turn queries and keys; None in the layouts that learn a vector of each."""
        config = self.config
        if config.layout != "llama":
            return None
        return rotation(positions_BT, config.head_width, config.rope_base, config.rope_scaling)

    @property
    def head_weight(self) -> torch.Tensor:
        """The (V, D) matrix that turns hidden states into logits: the token embedding, unless it has one of its own."""
        weight: torch.Tensor = (self.token_embedding if self.head is None else self.head).weight
        return weight

    def logits(self, x_BTD: torch.Tensor) -> torch.Tensor:
        """Logits (…, V) of the next token from hidden states (…, D)."""
        return functional.linear(x_BTD, self.head_weight)

    def new_cache(self, batch: int, *, padding: list[int] | None = None) -> KeyValueCache:
        """An empty cache for ``batch`` sequences of up to ``context`` tokens, on the model's device and in its type."""
        return KeyValueCache(
            layers=self.config.layers,
            batch=batch,
            heads=self.config.kv_heads or self.config.heads,
            capacity=self.config.context,
            head_width=self.config.head_width,
            padding=padding,
            device=self.head_weight.device,
            dtype=self.head_weight.dtype,
        )
