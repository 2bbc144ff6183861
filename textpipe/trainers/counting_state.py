"""Counting that goes on after a kill.

What enters: the counts of the chunks so far, at a moment when no thread counts. What leaves: a file of counts that says
how many chunks are in it; later, those counts again. Promises: the file is the old whole one or the new whole one; what
was counted for another purpose is refused; saving takes at most a twentieth of the time.

Chunks are the same in every run over the same inputs, so a number of them says where to go on. They are read once more
and passed over, which takes far less than counting them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from textpipe.core._word_counts import WordCounts
from textpipe.files import remove_temporaries
from textpipe.trainers.counts_file import load_counts, save_counts
from textpipe.trainers.memory import MemoryLimit
from textpipe.trainers.rhythm import Rhythm
from textpipe.trainers.training_state import other_purpose

__all__ = ["CountingState"]

_AT_STOP_BYTES = 12 << 20  # of counts that are sorted and written in a fifth of a second

Chunk = TypeVar("Chunk")


class CountingState:
    """Where a counting stands, on the disk.

    Parameters
    ----------
    path : of the file, which is there while the counting is under way.
    key : says what is counted and how.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "ko.counting")
    >>> counts = WordCounts()
    >>> counts.add("밥".encode(), 3)
    >>> state = CountingState(path, "밥.txt")
    >>> state.num_chunks = 1
    >>> state.save(counts)
    >>> later, again = CountingState(path, "밥.txt"), WordCounts()
    >>> later.resume(again)
    1
    >>> again.items() == counts.items()
    True
    """

    def __init__(self, path: str | os.PathLike[str], key: str) -> None:
        self.path = Path(path)
        self.key = key
        self.num_chunks = 0
        self.is_complete = False
        self.num_replaced = 0
        self._is_due = False
        self._rhythm = Rhythm()

    def resume(self, counts: WordCounts) -> int:
        """Add what was counted before to ``counts``; returns of how many chunks, 0 when there is nothing.

        Raises
        ------
        FormatError
            when the file is damaged.
        StateError
            when it was saved for another purpose.
        """
        if self.path.is_file():
            saved = load_counts(self.path)
            row = _row_of(saved.settings)
            if row.get("key") != self.key or saved.counts.byte_level != counts.byte_level:
                raise other_purpose(self.path)
            counts.merge(saved.counts)
            self.num_chunks = int(row["chunks"])
            self.is_complete = bool(row["complete"])
            self.num_replaced = int(row["replaced"])
        return self.num_chunks

    def part(self, chunks: Iterator[Chunk]) -> Iterator[Chunk]:
        """The next chunks, until it is time to save or there are no more."""
        for chunk in chunks:
            yield chunk
            if self._rhythm.is_due():
                self._rhythm.begin()  # the counting threads end first, which takes time too
                self._is_due = True
                return

    def after_part(self, counts: WordCounts, num_chunks: int, memory: MemoryLimit | None = None) -> bool:
        """A part of so many chunks is counted: save when it ended for that, and the memory limit has room for a copy;
        returns whether there is more."""
        self.num_chunks += num_chunks
        if not self._is_due:
            return False
        self._is_due = False
        if memory is None or memory.room() > counts.memory_bytes:
            self.save(counts)
        self._rhythm.end()
        return True

    def at_stop(self, counts: WordCounts, num_chunks: int) -> None:
        """Counting was stopped after so many chunks of a part: save if that is quick."""
        self.num_chunks += num_chunks
        if counts.memory_bytes <= _AT_STOP_BYTES and self._rhythm.has_time_at_stop():
            self.save(counts)

    def complete(self, counts: WordCounts, num_replaced: int, memory: MemoryLimit | None = None) -> None:
        """All chunks are counted, with so many runs of bytes replaced: save if that is worth it."""
        self.is_complete, self.num_replaced = True, num_replaced
        if self._rhythm.is_worth_it() and (memory is None or memory.room() > counts.memory_bytes):
            self._rhythm.begin()
            self.save(counts)
            self._rhythm.end()

    def save(self, counts: WordCounts) -> None:
        """Write the counts of all chunks so far."""
        row = {
            "key": self.key,
            "chunks": self.num_chunks,
            "complete": self.is_complete,
            "replaced": self.num_replaced,
        }
        save_counts(self.path, counts, json.dumps(row))

    def remove(self) -> None:
        """Forget it: what was to be made is made."""
        self.path.unlink(missing_ok=True)
        remove_temporaries(self.path.parent, of=self.path.name)  # of runs that were killed while they saved


def _row_of(settings: str) -> dict[str, Any]:
    """What was saved with counts; empty where the counts are of something else."""
    try:
        row = json.loads(settings)
    except ValueError:
        return {}
    return row if isinstance(row, dict) else {}
