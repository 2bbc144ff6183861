"""The same promises over Ray, where Ray is installed; what depends on time, over one that is made up."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from textpipe.engine import Failure
from textpipe.engine import ray as ray_engine
from textpipe.engine.ray import RayEngine

sys.path.insert(0, str(Path(__file__).parent))
import sample_work


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    ray = pytest.importorskip("ray", reason='Ray is not installed: pip install "textpipe[ray]"')
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    here = str(Path(__file__).parent)
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        object_store_memory=80 << 20,
        runtime_env={"env_vars": {"PYTHONPATH": here}},
    )
    yield
    ray.shutdown()


def test_order_and_failures_are_those_of_local_workers(cluster: None) -> None:
    results = dict(RayEngine(2).map(sample_work.faulty, range(18)))
    failures = {number: result.kind for number, result in results.items() if isinstance(result, Failure)}
    assert list(results) == list(range(18))
    assert failures == {13: "error", 17: "crash"}


def test_an_item_that_never_ends_is_given_up_and_its_worker_replaced(cluster: None) -> None:
    results = list(RayEngine(1, deadline_s=0.5).map(sample_work.faulty, [19, 19]))
    assert results == [(19, Failure("timeout", "no result within 0.5 s"))] * 2


class MadeUpRay:
    """A Ray whose actors take the seconds they are told to, by a clock that moves only while somebody waits."""

    class exceptions:
        RayActorError = RuntimeError

    def __init__(self, start_s: float, item_s: dict[int, float]) -> None:
        self.now, self.start_s, self.item_s = 0.0, start_s, item_s
        self.ends: dict[int, tuple[float, Any]] = {}  # reference → when its result is there, the result
        self.num_killed = 0

    def is_initialized(self) -> bool:
        return True

    def remote(self, **_: object) -> Any:
        return lambda kind: Remote(lambda factory: Actor(self))

    def begin(self, seconds: float, result: object) -> int:
        self.ends[len(self.ends)] = (self.now + seconds, result)
        return len(self.ends) - 1

    def wait(self, references: list[int], *, num_returns: int, timeout: float | None) -> tuple[list[int], list[int]]:
        if timeout != 0:
            first = min(self.ends[reference][0] for reference in references)
            self.now = max(self.now, first if timeout is None else min(first, self.now + timeout))
        self.now += 1e-3
        done = [reference for reference in references if self.ends[reference][0] <= self.now]
        return done[:num_returns], [reference for reference in references if reference not in done]

    def get(self, reference: int) -> object:
        return self.ends[reference][1]

    def kill(self, actor: object) -> None:
        self.num_killed += 1


class Remote:
    def __init__(self, call: Any) -> None:
        self.remote = call


class Actor:
    """Gives each item back after its seconds."""

    def __init__(self, ray: MadeUpRay) -> None:
        self.start = Remote(lambda: ray.begin(ray.start_s, None))
        self.apply = Remote(lambda item: ray.begin(ray.item_s.get(item, 0.1), item))


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_an_item_past_its_deadline_fails_alone_however_long_workers_take_to_start(
    workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray = MadeUpRay(start_s=100.0, item_s={3: 4.5, 7: 1e9, 8: 3.9})
    monkeypatch.setattr(ray_engine, "require", lambda *_, **__: ray)
    monkeypatch.setattr(ray_engine.time, "monotonic", lambda: ray.now)
    results = dict(RayEngine(workers, deadline_s=4.0).map(sample_work.faulty, range(12)))
    late = Failure("timeout", "no result within 4 s")
    assert results == {number: late if number in {3, 7} else number for number in range(12)}
    assert ray.num_killed == workers + 2  # those two actors, and all at the end
