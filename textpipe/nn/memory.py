"""What an encoder-decoder model keeps of its source, and of the target written so far.

What enters: the encoder's states. What leaves: one value the decoder reads from and the beam search reorders. The
Transformer and the recurrent model answer the same four calls, so one task, one search and one page serve both:

    memory = model.encode(source_BS, lengths_B)     the source, read once
    states = model.decode(target_BT, memory)        all positions at once, as in training
    state  = model.start(memory)                    nothing written yet
    states = model.step(tokens_B1, memory, state)   one position more; ``state`` grows

Axes: B sequence, S position of the source, T of the target.
"""

from __future__ import annotations

from typing import Any, Protocol

import torch

__all__ = ["DecoderState", "EncoderDecoder", "SourceMemory"]


class SourceMemory(Protocol):
    """The source as the decoder sees it."""

    lengths_B: torch.Tensor

    def select(self, rows_B: torch.Tensor) -> SourceMemory:
        """The same for these sequences, in this order; one may be taken several times."""
        ...


class DecoderState(Protocol):
    """What was written so far, as the decoder keeps it."""

    def select(self, rows_B: torch.Tensor) -> None:
        """Go on with these sequences, in this order; one may be taken several times."""
        ...


class EncoderDecoder(Protocol):
    """What tasks and searches ask of a model; memory and state are of its own kinds."""

    def encode(self, source_BS: torch.Tensor, lengths_B: torch.Tensor) -> Any: ...
    def decode(self, target_BT: torch.Tensor, memory: Any) -> torch.Tensor: ...
    def start(self, memory: Any) -> Any: ...
    def step(self, tokens_B1: torch.Tensor, memory: Any, state: Any) -> torch.Tensor: ...
    def logits(self, x_BTD: torch.Tensor) -> torch.Tensor: ...
    @property
    def head_weight(self) -> torch.Tensor: ...
    @property
    def head_bias(self) -> torch.Tensor | None: ...
