"""The shapes of models: what has to be known of one before torch is loaded.

What enters: numbers, from flags or a file. What leaves: checked, comparable configurations. They stand apart from the
models so that a wrong setting is refused at once, without waiting for torch.
"""

from __future__ import annotations

from typing import Self

import pydantic

from textpipe.config import Config, Field

__all__ = ["GptConfig"]


class GptConfig(Config):
    """The shape of a GPT.

    Examples
    --------
    >>> GptConfig(vocab_size=50257, context=1024, layers=12, heads=12, width=768).num_parameters
    124439808
    """

    vocab_size: int = Field(ge=1, le=1 << 24, description="entries of the vocabulary, exactly the tokenizer's")
    context: int = Field(256, ge=1, le=1 << 20, description="longest sequence, in tokens")
    layers: int = Field(4, ge=1, le=1024, description="blocks, one on top of the other")
    heads: int = Field(4, ge=1, le=1024, description="attention heads of a block")
    width: int = Field(128, ge=1, le=1 << 16, description="numbers a position is represented by; a multiple of heads")
    dropout: float = Field(0.0, ge=0.0, lt=1.0, description="share of activations zeroed while training")
    bias: bool = True  # whether linear layers and norms add a bias, as GPT-2's do
    norm_epsilon: float = Field(1e-5, gt=0.0, description="added to the variance in layer norm")

    @pydantic.model_validator(mode="after")
    def _heads_divide_width(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is not a multiple of heads {self.heads}")
        return self

    @property
    def num_parameters(self) -> int:
        """Trained numbers of the model, the shared embedding counted once."""
        d, norm, linear_bias = self.width, (2 if self.bias else 1) * self.width, (9 if self.bias else 0) * self.width
        block = 12 * d * d + linear_bias + 2 * norm
        return self.layers * block + (self.vocab_size + self.context) * d + norm
