"""Word counts that do not fit in memory.

What enters: counts that grow while text is read, and a limit. What leaves: the same counts when all text has been read.
Promises: while text is read the counts take no more than their part of the limit, the rest waits in a file without a
name; what comes out does not depend on when the room ran out.

Words lie in partitions by their hash. When room runs out every partition is written and emptied; in the end each
partition is read back alone, so that only its own distinct words are in a table, and packed before the next.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from types import TracebackType

from textpipe.core._word_counts import NUM_PARTITIONS, WordCounts, release_freed_memory
from textpipe.files import ScratchFile, ScratchPiece
from textpipe.trainers.memory import MemoryLimit, megabytes

__all__ = ["SpillingCounts"]

_FIXED_BYTES = 12 << 20  # text on its way from the disk to the threads
_THREAD_BYTES = 5 << 20  # front table, buffers and text of one thread
_RECORD_BYTES = 9  # of a word that waits on the disk, beside its own
_LEAST_BYTES = 4 << 20  # to count in: below this every chunk would be written out


class SpillingCounts:
    """Keeps ``counts`` within a limit while they grow; leaving the block gives the room on the disk back.

    Parameters
    ----------
    folder : where to make the file; by default the folder for temporary files.

    Raises
    ------
    LimitError
        when the limit leaves no room to count in.
    """

    def __init__(
        self, counts: WordCounts, limit: MemoryLimit, *, threads: int, folder: str | os.PathLike[str] | None = None
    ) -> None:
        import tempfile

        working = _FIXED_BYTES + threads * _THREAD_BYTES
        limit.require(working + _LEAST_BYTES, "counting words")
        self._counts = counts
        self._limit = limit
        self._room = limit.room() - working
        self._folder = Path(folder or tempfile.gettempdir())
        self._scratch: ScratchFile | None = None
        self._pieces: list[list[ScratchPiece]] = [[] for _ in range(NUM_PARTITIONS)]

    @property
    def num_bytes(self) -> int:
        """Bytes written to the disk so far."""
        return 0 if self._scratch is None else self._scratch.num_bytes

    def relieve(self, share_read: float | None = None) -> None:
        """Write the counts to the disk where they may soon pass the room; others may count meanwhile.

        Parameters
        ----------
        share_read : of the text, 0 to 1, by which a full disk is told how much it lacks; None where nobody knows.

        Raises
        ------
        OSError
            when the disk is full; says what would help.
        """
        if self._counts.memory_bytes_soon > self._room:
            try:
                self._write_out()
            except OSError as error:
                if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                    raise
                raise self._full(error, share_read) from error
            release_freed_memory()
        self._limit.check("counting words")

    def _write_out(self) -> None:
        if self._scratch is None:
            self._scratch = ScratchFile(self._folder)
        for partition, pieces in enumerate(self._pieces):
            if records := self._counts.take(partition):
                pieces.append(self._scratch.write(records))

    def _full(self, error: OSError, share_read: float | None) -> OSError:
        least = self.num_bytes + self._counts.num_bytes + _RECORD_BYTES * len(self._counts)
        if share_read is not None:
            least = round(least / max(share_read, 0.01))
        what = (
            f"{error.strerror} for the words that the memory limit leaves no room for. they need about "
            f"{megabytes(least)} in all: make room there, set scratch_folder to a folder on another disk, or allow "
            "more memory; the same call then goes on from what was saved"
        )
        return OSError(error.errno, what, str(self._folder))

    def gather(self) -> None:
        """Read everything back; nobody may count meanwhile.

        Raises
        ------
        LimitError
            when the distinct words alone pass the limit.
        """
        if self._scratch is None:
            return
        self._counts.pack()
        for partition, pieces in enumerate(self._pieces):
            for piece in pieces:
                self._counts.give_back(partition, self._scratch.read(piece))
            self._counts.pack(partition)
            self._limit.check(f"the distinct words of {partition + 1} of {NUM_PARTITIONS} parts")
        release_freed_memory()

    def __enter__(self) -> SpillingCounts:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._scratch is not None:
            self._scratch.close()
