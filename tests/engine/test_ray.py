"""The same promises over Ray, where Ray is installed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from textpipe.engine import Failure

sys.path.insert(0, str(Path(__file__).parent))
import sample_work

pytest.importorskip("ray", reason='Ray is not installed: pip install "textpipe[ray]"')
from textpipe.engine.ray import RayEngine


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    import ray

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
    engine = RayEngine(2, deadline_s=5.0)
    results = dict(engine.map(sample_work.faulty, range(18)))
    failures = {number: result.kind for number, result in results.items() if isinstance(result, Failure)}
    assert list(results) == list(range(18))
    assert failures == {13: "error", 17: "crash"}


def test_an_item_past_its_deadline_fails_alone(cluster: None) -> None:
    results = dict(RayEngine(1, deadline_s=4.0).map(sample_work.faulty, [1, 19, 2]))
    assert results == {1: 1, 19: Failure("timeout", "no result within 4 s"), 2: 2}
