"""What every engine promises, on worker processes of this machine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from textpipe.engine import Failure, LocalEngine
from textpipe.errors import ConfigError, StateError

sys.path.insert(0, str(Path(__file__).parent))
import sample_work


@pytest.mark.parametrize("workers", [0, 1, 2, 3])
def test_results_come_in_the_order_of_the_items(workers: int) -> None:
    engine = LocalEngine(workers, batch_items=3)
    assert list(engine.map(sample_work.uneven, range(100))) == [(n, n) for n in range(100)]


@pytest.mark.parametrize("workers", [0, 2])
def test_no_items_give_no_results(workers: int) -> None:
    assert list(LocalEngine(workers).map(sample_work.doubling, [])) == []


def test_each_kind_of_failure_is_that_items_alone() -> None:
    engine = LocalEngine(2, batch_items=8, deadline_s=1.0, memory_bytes=1 << 30)
    results = dict(engine.map(sample_work.faulty, range(30)))
    failures = {number: result.kind for number, result in results.items() if isinstance(result, Failure)}
    assert failures == {13: "error", 17: "crash", 19: "timeout", 23: "memory"}
    assert all(results[number] == number for number in range(30) if number not in failures)


def test_a_failure_says_what_happened() -> None:
    engine = LocalEngine(1, deadline_s=0.5)
    results = dict(engine.map(sample_work.faulty, [13, 17, 19]))
    assert results == {
        13: Failure("error", "ValueError: unlucky"),
        17: Failure("crash", "its process ended with code 3"),
        19: Failure("timeout", "no result within 0.5 s"),
    }


def test_in_this_process_an_error_is_that_items_failure_too() -> None:
    assert dict(LocalEngine(0).map(sample_work.faulty, [1, 13])) == {1: 1, 13: Failure("error", "ValueError: unlucky")}


@pytest.mark.parametrize("workers", [0, 2])
def test_what_was_read_before_the_items_broke_is_given_first(workers: int) -> None:
    def items() -> Iterator[int]:
        yield from range(20)
        raise OSError("the disk went away")

    given: list[int] = []
    run = LocalEngine(workers).map(sample_work.doubling, items())
    with pytest.raises(OSError, match="went away"):
        given.extend(item for item, _ in run)
    assert given == list(range(20))


def test_items_are_not_read_far_ahead() -> None:
    taken = []

    def items() -> Iterator[int]:
        for number in range(100_000):
            taken.append(number)
            yield number

    run = LocalEngine(2, batch_items=4).map(sample_work.doubling, items())
    next(run)
    assert len(taken) <= 2 * 4 * 16
    run.close()


def test_large_items_pass_without_the_two_sides_waiting_for_each_other() -> None:
    items = [bytes(3_000_000)] * 12
    assert [size for _, size in LocalEngine(2, batch_items=4).map(sample_work.lengths, items)] == [3_000_000] * 12


def test_a_worker_is_replaced_after_its_share_of_items() -> None:
    engine = LocalEngine(1, batch_items=5, recycle_items=10)
    assert len({pid for _, pid in engine.map(sample_work.process_ids, range(40))}) == 4


def test_a_worker_that_keeps_memory_is_replaced() -> None:
    engine = LocalEngine(1, batch_items=1, recycle_bytes=200 << 20)
    seen = [count for _, count in engine.map(sample_work.greedy, range(12))]
    assert max(seen) < 6


def test_a_worker_that_cannot_start_stops_the_run_with_its_reason() -> None:
    with pytest.raises(StateError, match="RuntimeError: no such model"):
        list(LocalEngine(2).map(sample_work.unbuildable, range(4)))


def test_closing_the_run_early_ends_the_workers() -> None:
    run = LocalEngine(2).map(sample_work.process_ids, range(1000))
    _, pid = next(run)
    run.close()
    assert not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize("settings", [{"workers": -1}, {"batch_items": 0}, {"recycle_items": 0}])
def test_settings_that_count_nothing_are_refused(settings: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="workers"):
        LocalEngine(**settings)
