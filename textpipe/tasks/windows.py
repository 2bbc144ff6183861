"""What a fine-tuned encoder reads: windows of texts between marks, in batches that are a function of (seed, step).

What enters: encodings of a text or a pair of texts, and what is to be told of them. What leaves: windows, and batches
of windows of like length, padded at the right. A text longer than the model's context is several windows, or one that
was cut, as its task needs it.

Axes: B window, T position.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from textpipe.data.batches import IGNORED
from textpipe.data.permutation import derive_key, permute

if TYPE_CHECKING:
    from textpipe.encoding import Encoding

__all__ = ["Window", "WindowBatch", "WindowPlan", "in_order_of_length", "to_batch"]

_POOL_BATCHES = 50  # as many batches' windows are sorted by length before they are cut


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """Ids of one sequence, where its second text begins, and the example it is of.

    ``target`` is what is to be told: a label's number, a number, or an answer's first and last position; and
    ``by_position`` a tag's number for each position; IGNORED where there is nothing to learn. ``offsets`` are the
    characters each position stands for.
    """

    ids: npt.NDArray[np.int32]
    second: int
    example: int
    offsets: npt.NDArray[np.int32]
    target: npt.NDArray[Any]
    by_position: bool = False

    @classmethod
    def of(cls, encoding: Encoding, example: int, target: Any, *, by_position: bool = False) -> Window:
        """The window of an encoding."""
        types = encoding.type_ids
        return cls(
            np.array(encoding.ids, dtype=np.int32),
            next((place for place, kind in enumerate(types) if kind), len(types)),
            example,
            np.array(encoding.offsets, dtype=np.int32).reshape(-1, 2),
            np.asarray(target),
            by_position,
        )

    @property
    def learnt(self) -> Window:
        """The same without the places of its tokens, which only tell where a prediction stands."""
        return replace(self, offsets=_NOWHERE)


_NOWHERE: npt.NDArray[np.int32] = np.empty((0, 2), dtype=np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class WindowBatch:
    """Windows padded to the longest of them.

    ``targets`` is (B,) of labels or numbers, (B, T) of tags with ``IGNORED`` where none is to be told, or (B, 2) of
    answers' ends; ``counts_B`` is how many targets each window has.
    """

    tokens_BT: torch.Tensor
    lengths_B: torch.Tensor
    segments_BT: torch.Tensor
    targets: torch.Tensor
    counts_B: torch.Tensor
    samples: tuple[int, ...] = ()
    by_position: bool = False

    @property
    def num_targets(self) -> int:
        """What is to be told of all windows."""
        return int(self.counts_B.sum())

    def split(self, size: int) -> Iterator[WindowBatch]:
        """The same windows, at most ``size`` at a time, each part padded to its own longest."""
        for start in range(0, len(self.tokens_BT), size):
            rows = slice(start, start + size)
            longest, targets = int(self.lengths_B[rows].max()), self.targets[rows]
            yield WindowBatch(
                self.tokens_BT[rows, :longest],
                self.lengths_B[rows],
                self.segments_BT[rows, :longest],
                targets[:, :longest] if self.by_position else targets,
                self.counts_B[rows],
                self.samples[rows],
                self.by_position,
            )

    def to(self, device: torch.device | str) -> WindowBatch:
        """The same batch on another device."""
        return WindowBatch(
            self.tokens_BT.to(device, non_blocking=True),
            self.lengths_B.to(device, non_blocking=True),
            self.segments_BT.to(device, non_blocking=True),
            self.targets.to(device, non_blocking=True),
            self.counts_B.to(device, non_blocking=True),
            self.samples,
            self.by_position,
        )


def to_batch(windows: Sequence[Window], samples: Sequence[int] = ()) -> WindowBatch:
    """Put windows into one batch."""
    lengths = [len(window.ids) for window in windows]
    tokens_BT = np.zeros((len(windows), max(lengths)), dtype=np.int64)
    segments_BT = np.zeros_like(tokens_BT)
    by_position = windows[0].by_position
    targets: npt.NDArray[Any] = (
        np.full_like(tokens_BT, IGNORED) if by_position else np.stack([window.target for window in windows])
    )
    for row, (window, length) in enumerate(zip(windows, lengths, strict=True)):
        tokens_BT[row, :length] = window.ids
        segments_BT[row, window.second : length] = 1
        if by_position:
            targets[row, :length] = window.target
    counts = np.ones(len(windows), dtype=np.int64)
    if by_position:
        counts = (targets != IGNORED).sum(axis=1)
    elif targets.ndim == 2:
        counts = (targets != IGNORED).all(axis=1).astype(np.int64)
    return WindowBatch(
        torch.from_numpy(tokens_BT),
        torch.tensor(lengths),
        torch.from_numpy(segments_BT),
        torch.from_numpy(targets),
        torch.from_numpy(counts),
        tuple(samples),
        by_position,
    )


class WindowPlan:
    """Which windows each step of a run sees: every one once an epoch.

    Parameters
    ----------
    windows : of the training examples, at least one.
    batch_size : windows a step; the last step of an epoch may have fewer.
    seed : together with the step it decides everything.
    """

    def __init__(self, windows: Sequence[Window], *, batch_size: int, seed: int) -> None:
        self.windows, self.batch_size, self.seed = windows, batch_size, seed
        self._lengths = np.array([len(window.ids) for window in windows])
        self.steps_per_epoch = -(-len(windows) // batch_size)
        self._newest: tuple[int, list[npt.NDArray[np.int64]]] | None = None

    def numbers(self, step: int) -> npt.NDArray[np.int64]:
        """The numbers of the windows of a step."""
        epoch, place = divmod(step, self.steps_per_epoch)
        if self._newest is None or self._newest[0] != epoch:  # only one is kept: a run goes forward
            self._newest = epoch, self._plan(epoch)
        return self._newest[1][place]

    def _plan(self, epoch: int) -> list[npt.NDArray[np.int64]]:
        size = len(self.windows)
        order = permute(np.arange(size), size, derive_key("windows", self.seed, epoch))
        batches: list[npt.NDArray[np.int64]] = []
        pool_size = _POOL_BATCHES * self.batch_size
        for start in range(0, size, pool_size):
            pool = order[start : start + pool_size]
            pool = pool[np.argsort(self._lengths[pool], kind="stable")]
            batches += [pool[begin : begin + self.batch_size] for begin in range(0, len(pool), self.batch_size)]
        places = permute(np.arange(len(batches)), len(batches), derive_key("window batches", self.seed, epoch))
        return [batches[place] for place in places.tolist()]

    def batch(self, step: int) -> WindowBatch:
        """The windows of a step, from 0."""
        numbers = self.numbers(step).tolist()
        return to_batch([self.windows[number] for number in numbers], numbers)


def in_order_of_length(windows: Sequence[Window], batch_size: int) -> Iterator[tuple[list[int], WindowBatch]]:
    """Every window once, with its number, those of like length together."""
    order = sorted(range(len(windows)), key=lambda number: len(windows[number].ids))
    for start in range(0, len(order), batch_size):
        numbers = order[start : start + batch_size]
        yield numbers, to_batch([windows[number] for number in numbers], numbers)
