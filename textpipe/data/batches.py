"""Batches of a language model: a pure function of (seed, step).

What enters: a split of token shards, the shape of a batch, a seed and a step. What leaves: the tokens to read and the
tokens to predict. There is no iterator and no state: any batch can be asked for at any time, which is why a training
run resumes exactly, and why the order of the data does not depend on how many ranks share it.

How. The split is a ring of N tokens (see :mod:`textpipe.data.shards`). An epoch e cuts it, from a shift that depends on
(seed, e), into ceil(N / context) windows, so that every token is predicted at least once an epoch and windows fall
differently each time; (seed, e) also choose the order in which the windows come. Sample number n of the run is window
``permute(n mod windows)`` of epoch ``n div windows``, and step s has the samples [s × batch, (s + 1) × batch).

Where documents meet. Position t reads token p-1 and predicts token p. It belongs to the document of the token it
predicts; so a document's positions read "eos of the one before, first token, …, last token" and predict "first token,
…, last token, its own eos": eos serves as the beginning and the end, and every target is a real one. With
``document_mask`` the batch also says which positions share a document (``documents_BT``) and their place in it
(``positions_BT``), from the lengths kept in the shard, never from ids; without it, attention sees the whole window.

Axes: B sequences of a batch, T positions of the context.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt
import torch

from textpipe.data.permutation import derive_key, permute
from textpipe.errors import ConfigError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textpipe.data.shards import TokenShard

__all__ = ["IGNORED", "Batch", "BatchPlan", "TokenRing", "consecutive_batches"]

IGNORED = -100  # a target at a position that holds nothing to predict: it counts neither as loss nor as a token


class TokenRing(Protocol):
    """What windows are cut from; see :class:`~textpipe.data.shards.TokenSplit`."""

    num_tokens: int
    shards: list[TokenShard]

    def window(self, start: int, length: int) -> npt.NDArray[np.int64]: ...

    def documents_of(self, start: int, length: int) -> npt.NDArray[np.int64]: ...


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """What a step reads and predicts; ``samples`` are the numbers of its sequences, to name them in a message."""

    tokens_BT: torch.Tensor
    targets_BT: torch.Tensor
    samples: tuple[int, ...] = ()
    positions_BT: torch.Tensor | None = None
    documents_BT: torch.Tensor | None = None
    """Of packed documents that are told apart: the number of each position's in its window."""
    segments_BT: torch.Tensor | None = None
    """Of an encoder: 0 in a sequence's first text, 1 in its second."""
    follows_B: torch.Tensor | None = None
    """Of an encoder: 0 where the second segment follows the first, 1 where it does not."""

    @property
    def num_targets(self) -> int:
        """Positions that predict something."""
        return int((self.targets_BT != IGNORED).sum())

    def split(self, size: int) -> Iterator[Batch]:
        """The same sequences, at most ``size`` at a time."""
        for start in range(0, len(self.tokens_BT), size):
            rows = slice(start, start + size)
            parts = {name: tensor[rows] for name, tensor in self._tensors()}
            yield Batch(**parts, samples=self.samples[rows])

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on another device."""
        parts: dict[str, Any] = {name: tensor.to(device, non_blocking=True) for name, tensor in self._tensors()}
        return replace(self, **parts)

    def _tensors(self) -> Iterator[tuple[str, torch.Tensor]]:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, torch.Tensor):
                yield field.name, value


class BatchPlan:
    """Which tokens each step of a run sees.

    Parameters
    ----------
    split : the tokens.
    batch_size : sequences a step, over all ranks and micro-batches.
    context : tokens a sequence.
    seed : together with the step it decides everything.
    document_mask : whether batches tell documents apart (see the top of this file).

    Raises
    ------
    InputError
        when the split holds fewer tokens than one sequence.
    """

    def __init__(
        self, split: TokenRing, *, batch_size: int, context: int, seed: int, document_mask: bool = False
    ) -> None:
        if batch_size < 1 or context < 1:
            raise ConfigError(f"a batch of {batch_size} sequences of {context} tokens is empty", allowed="1 or more")
        if split.num_tokens < context:
            raise InputError(
                f"the split has {split.num_tokens} tokens, less than one sequence of {context}",
                where=split.shards[0].path,
                hint=f"pack more text, or lower the context to {split.num_tokens} or less",
            )
        self.split, self.batch_size, self.context, self.seed = split, batch_size, context, seed
        self.document_mask = document_mask
        self.windows_per_epoch = -(-split.num_tokens // context)

    def samples(self, step: int, *, rank: int = 0, world: int = 1) -> npt.NDArray[np.int64]:
        """The sample numbers of one rank's share of a step; the shares in rank order are the step's whole list."""
        if self.batch_size % world:
            raise ConfigError(
                f"{self.batch_size} sequences a step cannot be shared evenly by {world} ranks",
                allowed=f"a multiple of {world}",
            )
        share = self.batch_size // world
        first = step * self.batch_size + rank * share
        return np.arange(first, first + share, dtype=np.int64)

    def starts(self, samples: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Ring position of the first target of each sample."""
        epochs, places = np.divmod(samples, self.windows_per_epoch)
        out = np.empty_like(samples)
        for epoch in np.unique(epochs).tolist():
            inside = epochs == epoch
            shift = derive_key("shift", self.seed, epoch) % self.split.num_tokens
            key = derive_key("epoch", self.seed, epoch)
            out[inside] = shift + self.context * permute(places[inside], self.windows_per_epoch, key)
        return out % self.split.num_tokens

    def batch(self, step: int, *, rank: int = 0, world: int = 1) -> Batch:
        """Rank ``rank``'s sequences of step ``step``."""
        samples = self.samples(step, rank=rank, world=world)
        starts = self.starts(samples).tolist()
        return _read(self.split, starts, self.context, samples.tolist(), document_mask=self.document_mask)


def consecutive_batches(
    split: TokenRing, *, batch_size: int, context: int, document_mask: bool = False
) -> Iterator[Batch]:
    """The whole split once, in order, each token predicted exactly once: what evaluation reads.

    The last window runs into the start of the ring; its targets past the end are :data:`IGNORED`.
    """
    starts = range(0, split.num_tokens, context)
    for first in range(0, len(starts), batch_size):
        chosen = list(starts[first : first + batch_size])
        numbers = range(first, first + len(chosen))
        batch = _read(split, chosen, context, list(numbers), document_mask=document_mask)
        past_end = chosen[-1] + context - split.num_tokens
        if past_end > 0:
            batch.targets_BT[-1, context - past_end :] = IGNORED
        yield batch


def _read(split: TokenRing, starts: list[int], context: int, samples: list[int], *, document_mask: bool) -> Batch:
    windows = np.stack([split.window(start - 1, context + 1) for start in starts])
    tokens_BT = torch.from_numpy(windows[:, :-1].copy())
    targets_BT = torch.from_numpy(windows[:, 1:].copy())
    if not document_mask:
        return Batch(tokens_BT, targets_BT, tuple(samples))
    documents = np.stack([split.documents_of(start, context) for start in starts])
    places = np.arange(context)
    begins = np.ones_like(documents, dtype=bool)
    begins[:, 1:] = documents[:, 1:] != documents[:, :-1]
    begins |= (np.array(starts)[:, None] + places) % split.num_tokens == 0  # where the only document meets itself
    begun = np.maximum.accumulate(np.where(begins, places, 0), axis=1)
    return Batch(
        tokens_BT,
        targets_BT,
        tuple(samples),
        positions_BT=torch.from_numpy(places - begun),
        documents_BT=torch.from_numpy(np.cumsum(begins, axis=1) - 1),
    )
