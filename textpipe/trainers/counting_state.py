"""Counting that goes on after a kill.

What enters: the counts of the chunks so far, at a moment when no thread counts. What leaves: a file of counts that says
how many chunks are in it; later, those counts again. Promises: the file is the old whole one or the new whole one; what
was counted for another purpose is not taken up; saving takes at most a twentieth of the time.

Chunks are the same in every run over the same inputs, so a number of them says where to go on. They are read once more
and passed over, which takes far less than counting them.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from textpipe.core._word_counts import WordCounts
from textpipe.trainers.counts_file import load_counts, save_counts
from textpipe.trainers.memory import MemoryLimit

__all__ = ["CountingState"]

_SAVE_EVERY_S = 30.0
_LEAST_RATIO = 20  # of the time between two savings to the time that the last one took

Chunk = TypeVar("Chunk")


class CountingState:
    """Where a counting stands, on the disk.

    Parameters
    ----------
    path : of the file, which is there while the counting is under way.
    key : says what is counted and how; a file with another key is written over, not taken up.

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
        self._is_due = False
        self._every_s = _SAVE_EVERY_S
        self._saved_at = time.monotonic()

    def resume(self, counts: WordCounts) -> int:
        """Add what was counted before to ``counts``; returns of how many chunks, 0 when there is nothing.

        Raises
        ------
        FormatError
            when the file is damaged.
        """
        if self.path.is_file():
            saved = load_counts(self.path)
            row = json.loads(saved.settings)
            if row.get("key") == self.key and saved.counts.byte_level == counts.byte_level:
                counts.merge(saved.counts)
                self.num_chunks = int(row["chunks"])
        self._saved_at = time.monotonic()
        return self.num_chunks

    def part(self, chunks: Iterator[Chunk]) -> Iterator[Chunk]:
        """The next chunks, until it is time to save or there are no more."""
        for chunk in chunks:
            self.num_chunks += 1
            yield chunk
            if time.monotonic() - self._saved_at >= self._every_s:
                self._is_due = True
                return

    def save_if_due(self, counts: WordCounts, memory: MemoryLimit | None = None) -> bool:
        """Save when a part ended for it, and the memory limit has room for a copy; returns whether there is more."""
        if not self._is_due:
            return False
        self._is_due = False
        start = time.monotonic()
        if memory is None or memory.room() > counts.memory_bytes:
            self.save(counts)
        self._saved_at = time.monotonic()
        self._every_s = max(_SAVE_EVERY_S, _LEAST_RATIO * (self._saved_at - start))
        return True

    def save(self, counts: WordCounts) -> None:
        """Write the counts of all chunks so far."""
        save_counts(self.path, counts, json.dumps({"key": self.key, "chunks": self.num_chunks}))

    def remove(self) -> None:
        """Forget it: what was to be made is made."""
        self.path.unlink(missing_ok=True)
