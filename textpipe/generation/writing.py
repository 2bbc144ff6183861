"""One step of writing, whatever the model: the difference between a decoder by itself and one with a source.

What enters: prompts, or sources that were read. What leaves: logits of the next token of every row, and after a choice
of rows and tokens the logits after those. Greedy choice, sampling and beam search know nothing else of a model.

Axes: B sequence at the start, N rows now, V vocabulary.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Protocol

import torch

from textpipe.nn.native_step import NativeStep
from textpipe.nn.plain import plain

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

    def next(self, rows_N: torch.Tensor | None, tokens_N: torch.Tensor) -> torch.Tensor:
        """Go on with these rows, in this order (None: all, as they are), each with its token; logits (N, V) after."""
        ...


class PromptWriting:
    """A decoder-only model that goes on from prompts of mixed length.

    When the model's context is full, the newest half of the text is read again and writing goes on from there, so a
    text may be longer than the context; this happens at the same places for every row.

    Parameters
    ----------
    model : it must not be in training.
    prompts : ids, each at least one.
    filler : any id; it fills the left of shorter prompts and is attended to by nothing.
    """

    def __init__(self, model: GPT, prompts: Sequence[Sequence[int]], *, filler: int = 0) -> None:
        longest = max(map(len, prompts))
        self._padding = [longest - len(prompt) for prompt in prompts]
        rows = [[filler] * pad + list(prompt) for pad, prompt in zip(self._padding, prompts, strict=True)]
        self._model, self._native = plain(model), NativeStep.of(model)
        self._text_BT = torch.tensor(rows, device=model.head_weight.device)
        self._cache = model.new_cache(len(prompts), padding=self._padding)

    def first(self) -> torch.Tensor:
        return self._read(self._text_BT)

    def next(self, rows_N: torch.Tensor | None, tokens_N: torch.Tensor) -> torch.Tensor:
        if rows_N is not None:
            self._cache.select(rows_N)
            self._text_BT = self._text_BT[rows_N]
            self._padding = [self._padding[row] for row in rows_N.tolist()]
        self._text_BT = torch.cat([self._text_BT, tokens_N[:, None]], dim=1)
        if self._cache.length < self._model.config.context:
            return self._read(tokens_N[:, None])
        half = max(1, self._model.config.context // 2)
        self._padding = [max(0, pad - (self._text_BT.shape[1] - half)) for pad in self._padding]
        self._text_BT = self._text_BT[:, -half:]
        self._cache = self._model.new_cache(len(self._text_BT), padding=self._padding)
        return self._read(self._text_BT)

    def _read(self, tokens_NT: torch.Tensor) -> torch.Tensor:
        if self._native is not None and self._native.takes(tokens_NT):
            return self._model.logits(self._native(tokens_NT, self._cache)[:, -1])
        return self._model.logits(self._model(tokens_NT, cache=self._cache)[:, -1])


class SourceWriting:
    """An encoder-decoder model that writes targets of sources.

    Parameters
    ----------
    model : it must not be in training.
    source_BS, lengths_B : ids of the sources; from its length on a row is padding.
    begin : the id every target is read from.
    forced : ids that every target then begins with, whatever is likely, such as the token of a language.
    """

    def __init__(
        self,
        model: EncoderDecoder,
        source_BS: torch.Tensor,
        lengths_B: torch.Tensor,
        *,
        begin: int,
        forced: Sequence[int] = (),
    ) -> None:
        self._model, self._native = plain(model), NativeStep.of(model)
        self._memory = model.encode(source_BS, lengths_B)
        self._state = model.start(self._memory)
        self._begin_B = torch.full((len(source_BS),), begin, device=source_BS.device)
        self._sequences = list(range(len(source_BS)))
        self._forced = list(forced)

    @classmethod
    def of(
        cls, model: Any, sources: Sequence[Sequence[int]], *, begin: int, forced: Sequence[int] = ()
    ) -> SourceWriting:
        """The writing of sources given as lists of ids."""
        device = model.head_weight.device
        lengths_B = torch.tensor([len(source) for source in sources], device=device)
        source_BS = torch.zeros(len(sources), int(lengths_B.max()), dtype=torch.long, device=device)
        for row, source in enumerate(sources):
            source_BS[row, : len(source)] = torch.tensor(source, device=device)
        return cls(model, source_BS, lengths_B, begin=begin, forced=forced)

    def first(self) -> torch.Tensor:
        return self._step(self._begin_B)

    def next(self, rows_N: torch.Tensor | None, tokens_N: torch.Tensor) -> torch.Tensor:
        if rows_N is not None:
            sequences = [self._sequences[row] for row in rows_N.tolist()]
            if sequences != self._sequences:  # the beams of a sequence read one source
                self._memory = self._memory.select(rows_N)
                self._sequences = sequences
            self._state.select(rows_N)
        return self._step(tokens_N)

    def _step(self, tokens_N: torch.Tensor) -> torch.Tensor:
        tokens_N1 = tokens_N[:, None]
        if self._native is not None and self._native.takes(tokens_N1):
            states_N1D = self._native(tokens_N1, self._state, self._memory)
        else:
            states_N1D = self._model.step(tokens_N1, self._memory, self._state)
        logits_NV = self._model.logits(states_N1D[:, -1])
        if self._forced:
            logits_NV = torch.full_like(logits_NV, -math.inf)
            logits_NV[:, self._forced.pop(0)] = 0.0
        return logits_NV
