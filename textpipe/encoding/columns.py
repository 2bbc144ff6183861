"""Lists that are made when they are first needed.

What enters: functions that make lists. What leaves: columns, and columns made of other columns. Promises: a list is
made once, and never changed afterwards; putting columns together makes nothing yet.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["Column"]


class Column:
    """One list that is made when it is first needed."""

    __slots__ = ("_make", "_values")

    def __init__(self, make: Callable[[], list[Any]]) -> None:
        self._make: Callable[[], list[Any]] | None = make
        self._values: list[Any] = []

    @property
    def values(self) -> list[Any]:
        """The list, to read."""
        make = self._make
        if make is not None:
            self._values = make()
            self._make = None  # only now: another thread may be here too, and makes the same list
        return self._values

    def part(self, begin: int, end: int) -> Column:
        """The stretch ``[begin, end)``."""
        return Column(lambda: self.values[begin:end])

    def followed_by(self, other: Column) -> Column:
        """This one, and another behind it."""
        return Column(lambda: [*self.values, *other.values])

    def followed_by_places(self, other: Column) -> Column:
        """The same of pairs ``(begin, end)``, where the others go on from the last end here."""

        def make() -> list[Any]:
            shift = self.values[-1][1] if self.values else 0
            return [*self.values, *((begin + shift, end + shift) for begin, end in other.values)]

        return Column(make)
