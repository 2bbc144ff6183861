"""One step of writing, whatever the model: the difference between a decoder by itself and one with a source.

What enters: prompts, or sources that were read. What leaves: logits of the next token of every row, and after a choice
of rows and tokens the logits after those. Greedy choice, sampling and beam search know nothing else of a model.

Axes: B sequence at the start, N rows now, V vocabulary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textpipe.nn.gpt import GPT
    from textpipe.nn.memory import EncoderDecoder

__all__ = ["PromptWriting", "SourceWriting", "Writing"]


class Writing(Protocol):
    """Rows of text in the making."""

    def first(self) -> torch.Tensor:
        """Logits (B, V) of the first token of each sequence."""
        ...

    def next(self, rows_N: torch.Tensor, tokens_N: torch.Tensor) -> torch.Tensor:
        """Go on with these rows, in this order, each with its token; logits (N, V) of what follows."""
        ...


class PromptWriting:
    """A decoder-only model that goes on from prompts of mixed length.

    Parameters
    ----------
    model : it must not be in training.
    prompts : ids, each at least one.
    filler : any id; it fills the left of shorter prompts and is attended to by nothing.
    """

    def __init__(self, model: GPT, prompts: Sequence[Sequence[int]], *, filler: int = 0) -> None:
        longest = max(map(len, prompts))
        padding = [longest - len(prompt) for prompt in prompts]
        rows = [[filler] * pad + list(prompt) for pad, prompt in zip(padding, prompts, strict=True)]
        self._model = model
        self._tokens_BT = torch.tensor(rows, device=model.head_weight.device)
        self._cache = model.new_cache(len(prompts), padding=padding)

    def first(self) -> torch.Tensor:
        return self._model.logits(self._model(self._tokens_BT, cache=self._cache)[:, -1])

    def next(self, rows_N: torch.Tensor, tokens_N: torch.Tensor) -> torch.Tensor:
        self._cache.select(rows_N)
        return self._model.logits(self._model(tokens_N[:, None], cache=self._cache)[:, -1])


class SourceWriting:
    """An encoder-decoder model that writes targets of sources.

    Parameters
    ----------
    model : it must not be in training.
    source_BS, lengths_B : ids of the sources; from its length on a row is padding.
    begin : the id every target begins with.
    """

    def __init__(self, model: EncoderDecoder, source_BS: torch.Tensor, lengths_B: torch.Tensor, *, begin: int) -> None:
        self._model = model
        self._memory = model.encode(source_BS, lengths_B)
        self._state = model.start(self._memory)
        self._begin_B = torch.full((len(source_BS),), begin, device=source_BS.device)

    def first(self) -> torch.Tensor:
        return self._step(self._begin_B)

    def next(self, rows_N: torch.Tensor, tokens_N: torch.Tensor) -> torch.Tensor:
        self._memory = self._memory.select(rows_N)
        self._state.select(rows_N)
        return self._step(tokens_N)

    def _step(self, tokens_N: torch.Tensor) -> torch.Tensor:
        return self._model.logits(self._model.step(tokens_N[:, None], self._memory, self._state)[:, -1])
