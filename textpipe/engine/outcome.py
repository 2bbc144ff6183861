"""What an engine promises, and what it says of an item that could not be done.

What enters: an exception. What leaves: the :class:`Failure` record that every engine shares, and their protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

__all__ = ["Engine", "Failure", "failure_of"]

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why one item has no result.

    ``kind`` is ``error`` (the function raised), ``timeout`` (it ran past the deadline), ``memory`` (it hit the memory
    cap) or ``crash`` (its process ended); ``detail`` is a line for a person.
    """

    kind: Literal["error", "timeout", "memory", "crash"]
    detail: str = ""


class Engine(Protocol):
    """Something that applies a function to many items."""

    def map(self, factory: Callable[[], Callable[[T], R]], items: Iterable[T]) -> Iterator[tuple[T, R | Failure]]:
        """Give ``(item, result)`` for every item, in the order of ``items``.

        Parameters
        ----------
        factory : called once in each worker; it and the items must be importable there, so no lambdas and nothing
            defined in a script's own ``__main__``.
        items : read lazily, never far ahead of what has been given.
        """
        ...


def failure_of(error: Exception) -> Failure:
    """The failure that stands for an exception the function raised."""
    if isinstance(error, MemoryError):
        return Failure("memory", "the memory cap of a worker was reached")
    return Failure("error", f"{type(error).__name__}: {error}"[:500])
