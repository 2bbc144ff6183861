"""Threads that count words, behind a short queue.

What enters: chunks of text, one after the other, and what cuts and counts them. What leaves: words in the counts that
all threads share. Promises: what a thread raises comes out of the thread that gives; leaving the block waits for all.
Where the system gives fewer threads than were asked for, those count.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from typing import Any

from textpipe.core._word_counts import WordCounts
from textpipe.errors import LimitError

__all__ = ["CountingThreads"]

_WAIT_S = 0.1
_SOON_S = 0.2
_GROWTH_HINT = "train on fewer or shorter texts, or look at what in the normalizer replaces short strings by long ones"


class CountingThreads:
    """Counting threads behind a short queue; leaving the block waits for them and raises what one of them raised."""

    def __init__(self, counts: WordCounts, cutter: Any, num_threads: int) -> None:
        self._cutter = cutter
        self._counts = counts
        self._chunks: queue.Queue[bytes | list[str] | None] = queue.Queue(maxsize=num_threads)
        self._stopped = threading.Event()
        self._failure: BaseException | None = None
        self._counted: list[None] = []  # appending is atomic
        self._threads = [threading.Thread(target=self._work, name="textpipe-count") for _ in range(num_threads)]

    def __enter__(self) -> CountingThreads:
        wanted, self._threads = self._threads, []
        try:
            for thread in wanted:
                thread.start()
                self._threads.append(thread)
        except (RuntimeError, MemoryError):
            # The system has no more of them. The counts are those of any number, so those that started do the work.
            if not self._threads:
                hint = "let this process have more threads, or more memory"
                raise LimitError("no thread could be started to count words", hint=hint) from None
        except BaseException:
            self._stop()
            raise
        return self

    def give(self, chunk: bytes | list[str] | None) -> None:
        while not self._stopped.is_set():
            try:
                self._chunks.put(chunk, timeout=_WAIT_S)
            except queue.Full:
                continue
            return
        if self._failure is not None:
            raise self._failure

    @property
    def num_counted(self) -> int:
        """Chunks counted, which are the first of those given once all threads have ended."""
        return len(self._counted)

    def end_soon(self) -> bool:
        """Let the threads end with what was given to them; returns whether they did within a moment."""
        until = time.monotonic() + _SOON_S
        for _ in self._threads:
            while time.monotonic() < until and not self._stopped.is_set():
                with contextlib.suppress(queue.Full):
                    self._chunks.put(None, timeout=_WAIT_S / 10)
                    break
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        return self._failure is None and not any(thread.is_alive() for thread in self._threads)

    def _work(self) -> None:
        try:
            counter = self._cutter.counter(self._counts)
            while not self._stopped.is_set():
                chunk = self._chunks.get()
                if chunk is None:
                    counter.flush()
                    return
                self._cutter.count(counter, chunk)
                self._counted.append(None)
        except OverflowError as error:
            self._fail(LimitError(str(error), hint=_GROWTH_HINT))
        except BaseException as error:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        self._failure = error
        self._stopped.set()

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        try:
            if kind is None:
                for _ in self._threads:
                    self.give(None)
                while any(thread.is_alive() for thread in self._threads):
                    for thread in self._threads:
                        thread.join(_WAIT_S)
        finally:
            if any(thread.is_alive() for thread in self._threads):
                self._stop()
        if kind is None and self._failure is not None:
            raise self._failure

    def _stop(self) -> None:
        """End every thread after the chunk it has in hand."""
        self._stopped.set()
        self._counts.stop()
        for thread in self._threads:
            while thread.is_alive():
                # A thread may wait for a chunk; an extra one wakes it to see the flag.
                if self._chunks.empty():
                    self._chunks.put_nowait(None)
                thread.join(_WAIT_S / 10)
