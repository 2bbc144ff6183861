"""Functions that worker processes run in the engine's tests: importable by name, each with one way to behave."""

from __future__ import annotations

import os
import time
from collections.abc import Callable


def doubling() -> Callable[[int], int]:
    return lambda number: number * 2


def uneven() -> Callable[[int], int]:
    """Later items of a batch are quicker than earlier ones, so that finishing order is not item order."""

    def work(number: int) -> int:
        deadline = time.perf_counter() + (number % 5) * 0.002
        while time.perf_counter() < deadline:
            pass
        return number

    return work


def faulty() -> Callable[[int], int]:
    """13 raises, 17 ends the process, 19 never comes back, 23 wants more memory than there is."""

    def work(number: int) -> int:
        if number == 13:
            raise ValueError("unlucky")
        if number == 17:
            os._exit(3)
        while number == 19:
            pass
        if number == 23:
            bytearray(1 << 50)
        return number

    return work


def greedy() -> Callable[[int], int]:
    """Keeps 40 MB for each item, and says how many items this process has seen."""
    kept: list[bytes] = []

    def work(number: int) -> int:
        kept.append(os.urandom(1 << 10) * (40 << 10))
        return len(kept)

    return work


def process_ids() -> Callable[[int], int]:
    return lambda _: os.getpid()


def lengths() -> Callable[[bytes], int]:
    return len


def unbuildable() -> Callable[[int], int]:
    raise RuntimeError("no such model")
