"""Worker processes on this machine.

What enters: a factory and items. What leaves: ``(item, result)`` in order. Each worker is a fresh interpreter joined by
one pipe, so nothing is inherited (no forked threads, no locks) and a calling script needs no ``__main__`` guard. One
batch lies with a worker at a time and the parent only reads meanwhile, so the two can never wait for each other. A
worker past its deadline is killed and the rest of its batch goes to another; a worker that has done its share, or has
grown past its memory, is replaced between batches.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Pipe, wait
from typing import Any, Generic, TypeVar

from textpipe.engine.outcome import Failure, failure_of
from textpipe.errors import ConfigError, StateError

__all__ = ["LocalEngine"]

T = TypeVar("T")
R = TypeVar("R")

_WINDOW_BATCHES = 16  # how far reading may run ahead of giving, for each worker


class LocalEngine:
    """Map over local worker processes.

    Parameters
    ----------
    workers : how many; 0 runs everything in this process, without deadline or memory cap.
    deadline_s : the longest one item may take; None for no deadline.
    batch_items : items sent to a worker at once.
    recycle_items : a worker is replaced after this many items.
    recycle_bytes : … or when it holds more memory than this after a batch.
    memory_bytes : how far a worker's address space may grow; an item that hits this fails alone.
    """

    def __init__(
        self,
        workers: int = 1,
        *,
        deadline_s: float | None = None,
        batch_items: int = 8,
        recycle_items: int = 5000,
        recycle_bytes: int = 1 << 30,
        memory_bytes: int = 4 << 30,
    ) -> None:
        if workers < 0 or batch_items < 1 or recycle_items < 1:
            raise ConfigError("workers, batch_items and recycle_items count something", allowed="workers 0 or more")
        self.workers = workers
        self.deadline_s = deadline_s
        self.batch_items = batch_items
        self.recycle_items = recycle_items
        self.recycle_bytes = recycle_bytes
        self.memory_bytes = memory_bytes

    def map(self, factory: Callable[[], Callable[[T], R]], items: Iterable[T]) -> Iterator[tuple[T, R | Failure]]:
        """Give ``(item, result)`` in the order of ``items``; see :class:`~textpipe.engine.Engine`.

        Raises
        ------
        StateError
            when a worker cannot build the function.
        """
        if self.workers == 0:
            yield from _map_here(factory(), items)
            return
        run: _Run[T, R] = _Run(self, factory, items)
        try:
            yield from run.results()
        finally:
            run.stop()


def _map_here(function: Callable[[T], R], items: Iterable[T]) -> Iterator[tuple[T, R | Failure]]:
    for item in items:
        try:
            result: R | Failure = function(item)
        except Exception as error:  # as in a worker: the failure of one item
            result = failure_of(error)
        yield item, result


class _Worker:
    """One process, the batch that lies with it and since when its current item runs."""

    def __init__(self, factory: Callable[[], Any], memory_bytes: int) -> None:
        self.line, theirs = Pipe()
        with theirs:
            # Its own process group: Ctrl-C reaches the parent alone, which then ends its workers.
            self.process = subprocess.Popen(
                [sys.executable, "-m", "textpipe.engine.worker", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                process_group=0,
            )
        self.batch: deque[tuple[int, Any]] = deque()
        self.since = 0.0
        self.is_ready = False
        self.is_idle = False
        self.num_done = 0
        try:
            self.line.send(sys.path)
            self.line.send((factory, memory_bytes))
        except BaseException:
            self.kill()
            raise

    def give(self, batch: list[tuple[int, Any]]) -> None:
        self.batch.extend(batch)
        self.is_idle = False
        self.since = time.monotonic()
        self.line.send([item for _, item in batch])

    def kill(self) -> None:
        self.line.close()
        self.process.kill()
        self.process.wait()


class _Run(Generic[T, R]):
    """One call of ``map``: the workers, the items on their way and the results not given yet."""

    def __init__(self, engine: LocalEngine, factory: Callable[[], Callable[[T], R]], items: Iterable[T]) -> None:
        self.engine = engine
        self.factory = factory
        self.items = enumerate(items)
        self.workers: list[_Worker] = []
        self.waiting: dict[int, T] = {}  # every item read and not given
        self.finished: dict[int, R | Failure] = {}
        self.queued: deque[tuple[int, T]] = deque()  # read, or taken back from a worker that ended
        self.next_given = 0
        self.is_drained = False
        self.input_error: Exception | None = None

    def results(self) -> Iterator[tuple[T, R | Failure]]:
        while True:
            self._hand_out()
            busy = [worker for worker in self.workers if not worker.is_idle]
            if not busy and not self.waiting:
                break
            self._listen(busy)
            while self.next_given in self.finished:
                result = self.finished.pop(self.next_given)
                item = self.waiting.pop(self.next_given)
                self.next_given += 1
                yield item, result
        if self.input_error is not None:
            raise self.input_error

    def stop(self) -> None:
        for worker in self.workers:
            worker.kill()
        self.workers.clear()

    def _hand_out(self) -> None:
        """Give every idle worker a batch; start workers while there is work for them."""
        for worker in self.workers:
            if worker.is_idle and (batch := self._next_batch()):
                try:
                    worker.give(batch)
                except (BrokenPipeError, ConnectionResetError):
                    self._ended(worker)
        while len(self.workers) < self.engine.workers and self._has_more():
            self.workers.append(_Worker(self.factory, self.engine.memory_bytes))

    def _has_more(self) -> bool:
        if not self.queued and not self.is_drained:
            self.queued.extend(self._read(1))
        return bool(self.queued)

    def _next_batch(self) -> list[tuple[int, T]]:
        batch = [self.queued.popleft() for _ in range(min(len(self.queued), self.engine.batch_items))]
        return batch or self._read(self.engine.batch_items)

    def _read(self, num_items: int) -> list[tuple[int, T]]:
        batch: list[tuple[int, T]] = []
        window = self.engine.workers * self.engine.batch_items * _WINDOW_BATCHES
        while len(batch) < num_items and not self.is_drained and len(self.waiting) < window:
            try:
                number, item = next(self.items)
            except StopIteration:
                self.is_drained = True
            except Exception as error:  # raised again once everything read before it has been given
                self.is_drained, self.input_error = True, error
            else:
                self.waiting[number] = item
                batch.append((number, item))
        return batch

    def _listen(self, busy: list[_Worker]) -> None:
        """Wait for a message or a deadline, and take in what there is."""
        deadline = self.engine.deadline_s
        timeout = None
        running = [worker for worker in busy if worker.batch]
        if deadline is not None and running:
            timeout = max(0.0, min(worker.since for worker in running) + deadline - time.monotonic())
        ready = set(wait([worker.line for worker in busy], timeout))
        for worker in busy:
            if worker.line in ready:
                self._take_in(worker)
                while worker in self.workers and not worker.is_idle and worker.line.poll():
                    self._take_in(worker)  # what else has come, without another wait over all of them
            elif deadline is not None and worker.batch and time.monotonic() - worker.since > deadline:
                self._ended(worker, Failure("timeout", f"no result within {deadline:g} s"))

    def _take_in(self, worker: _Worker) -> None:
        try:
            message = worker.line.recv()
        except (EOFError, ConnectionResetError):
            self._ended(worker)
            return
        match message:
            case ("value", value) | ("failed", value):
                number, _ = worker.batch.popleft()
                self.finished[number] = value
                worker.num_done += 1
                worker.since = time.monotonic()
            case ("ready",):
                worker.is_ready = worker.is_idle = True
            case ("idle", resident):
                worker.is_idle = True
                if worker.num_done >= self.engine.recycle_items or resident > self.engine.recycle_bytes:
                    self._replace(worker)
            case ("broken", why):
                raise StateError(f"a worker could not start: {why}", hint="what it runs must be importable by name")

    def _ended(self, worker: _Worker, failure: Failure | None = None) -> None:
        """Fail the item a worker was on when it ended, take the rest of its batch back, start another worker."""
        if failure is None:
            code = worker.process.wait()
            failure = Failure("crash", f"its process ended with {'signal' if code < 0 else 'code'} {abs(code)}")
        if worker.batch:
            number, _ = worker.batch.popleft()
            self.finished[number] = failure
        elif not worker.is_ready:
            raise StateError("a worker ended before it was ready", hint=failure.detail)
        self.queued.extendleft(reversed(worker.batch))
        self._replace(worker)

    def _replace(self, worker: _Worker) -> None:
        worker.kill()
        self.workers.remove(worker)
