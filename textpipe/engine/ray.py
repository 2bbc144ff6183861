"""The same map over a Ray cluster.

What enters: a factory and items. What leaves: ``(item, result)`` in the order of the items, as from
:class:`~textpipe.engine.local.LocalEngine`. Each worker is a Ray actor that holds one item at a time; an actor past its
deadline is killed and replaced. Connect to a cluster with ``ray.init(address=…)`` before; without that a local one is
started and left running for the next call. Needs ``pip install "textpipe[ray]"``.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

from textpipe.engine.outcome import Failure, failure_of
from textpipe.errors import ConfigError, require

__all__ = ["RayEngine"]

T = TypeVar("T")
R = TypeVar("R")

_WINDOW_ITEMS = 64  # how far reading may run ahead of giving, for each worker


class _Applier:
    """What runs inside an actor."""

    def __init__(self, factory: Callable[[], Callable[[Any], Any]]) -> None:
        self.function = factory()

    def start(self) -> None:
        """Answered once the function is made."""

    def apply(self, item: Any) -> Any:
        try:
            return self.function(item)
        except Exception as error:  # whatever one document does wrong is that document's failure
            return failure_of(error)


class RayEngine:
    """Map over Ray actors.

    Parameters
    ----------
    workers : how many actors, one CPU each.
    deadline_s : the longest one item may take, or None. It counts from when the actor has started: where the cluster
        is full, items wait as long as Ray does.
    """

    def __init__(self, workers: int = 1, *, deadline_s: float | None = None) -> None:
        if workers < 1:
            raise ConfigError("RayEngine needs workers", allowed="1 or more")
        self.workers = workers
        self.deadline_s = deadline_s
        self._ray = require("ray", extra="ray")

    def map(self, factory: Callable[[], Callable[[T], R]], items: Iterable[T]) -> Iterator[tuple[T, R | Failure]]:
        """Give ``(item, result)`` in the order of ``items``; see :class:`~textpipe.engine.Engine`."""
        if not self._ray.is_initialized():
            os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray reports its use home unless told not to
            self._ray.init(num_cpus=self.workers, include_dashboard=False, log_to_driver=False)
        run: _Run[T, R] = _Run(self._ray, self, factory, items)
        try:
            yield from run.results()
        finally:
            run.stop()


class _Run(Generic[T, R]):
    """One call of ``map``: the actors, the items on their way and the results not given yet."""

    def __init__(
        self, ray: Any, engine: RayEngine, factory: Callable[[], Callable[[T], R]], items: Iterable[T]
    ) -> None:
        self.ray = ray
        self.engine = engine
        self.items = enumerate(items)
        kind = ray.remote(num_cpus=1, max_restarts=0)(_Applier)
        self.new_actor: Callable[[], Any] = lambda: kind.remote(factory)
        self.idle: deque[Any] = deque()
        self.starting: dict[Any, Any] = {}  # reference → actor
        for _ in range(engine.workers):
            self._start_actor()
        self.running: dict[Any, tuple[int, Any, float]] = {}  # reference → item number, actor, start
        self.waiting: dict[int, T] = {}
        self.finished: dict[int, R | Failure] = {}
        self.is_drained = False
        self.input_error: Exception | None = None

    def results(self) -> Iterator[tuple[T, R | Failure]]:
        next_given = 0
        while True:
            self._hand_out()
            if not self.running and (self.is_drained or not self.starting):
                break
            self._listen()
            while next_given in self.finished:
                yield self.waiting.pop(next_given), self.finished.pop(next_given)
                next_given += 1
        if self.input_error is not None:
            raise self.input_error

    def stop(self) -> None:
        for actor in [*self.idle, *self.starting.values(), *(actor for _, actor, _ in self.running.values())]:
            self.ray.kill(actor)

    def _start_actor(self) -> None:
        actor = self.new_actor()
        self.starting[actor.start.remote()] = actor

    def _hand_out(self) -> None:
        while self.idle and not self.is_drained and len(self.waiting) < self.engine.workers * _WINDOW_ITEMS:
            try:
                number, item = next(self.items)
            except StopIteration:
                self.is_drained = True
            except Exception as error:  # raised again once everything read before it has been given
                self.is_drained, self.input_error = True, error
            else:
                actor = self.idle.popleft()
                self.waiting[number] = item
                self.running[actor.apply.remote(item)] = (number, actor, time.monotonic())

    def _listen(self) -> None:
        deadline = self.engine.deadline_s
        timeout = None
        if deadline is not None and self.running:
            timeout = max(0.0, min(start for _, _, start in self.running.values()) + deadline - time.monotonic())
        awaited = [*self.running, *self.starting]
        self.ray.wait(awaited, num_returns=1, timeout=timeout)
        done, _ = self.ray.wait(awaited, num_returns=len(awaited), timeout=0)
        for reference in done:
            if reference in self.starting:  # one that could not start says so when it is given an item
                self.idle.append(self.starting.pop(reference))
                continue
            try:
                self._settle(reference, self.ray.get(reference), is_alive=True)
            except self.ray.exceptions.RayActorError as error:
                self._settle(reference, Failure("crash", str(error).splitlines()[0]), is_alive=False)
        for reference, (_, _, start) in list(self.running.items()):
            if deadline is not None and time.monotonic() - start > deadline:
                self._settle(reference, Failure("timeout", f"no result within {deadline:g} s"), is_alive=False)

    def _settle(self, reference: Any, result: R | Failure, *, is_alive: bool) -> None:
        number, actor, _ = self.running.pop(reference)
        self.finished[number] = result
        if is_alive:
            self.idle.append(actor)
        else:
            self.ray.kill(actor)
            self._start_actor()
