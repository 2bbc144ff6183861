"""Which sequences of a step are whose.

What enters: a step's batch, which every rank reads for itself since it is a function of (seed, step). What leaves: the
micro-batches of one rank. The shares in rank order are the whole batch, and every rank has as many micro-batches as any
other, since each of them is an appointment that all must keep.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from textpipe.tasks.base import TaskBatch

__all__ = ["MicroBatch", "micro_batches"]


class MicroBatch(NamedTuple):
    """Sequences to compute; where ``counts`` is false they are another's, and only keep the appointment."""

    batch: TaskBatch
    counts: bool


def micro_batches(batch: TaskBatch, size: int | None, *, rank: int = 0, ranks: int = 1) -> list[MicroBatch]:
    """A rank's micro-batches of up to ``size`` sequences, all its sequences at once without one."""
    rows = len(batch.samples)
    share = -(-rows // ranks)
    each = min(size or share, share)
    parts = list(batch.split(share)) if ranks > 1 else [batch]
    own = [MicroBatch(part, True) for part in parts[rank].split(each)] if rank < len(parts) else []
    absent = -(-share // each) - len(own)
    if absent:
        stand_in = own[0].batch if own else next(iter(parts[0].split(1)))
        own += [MicroBatch(stand_in, False)] * absent
    return own
