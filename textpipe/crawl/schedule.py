"""Whose turn it is.

What enters: hosts with URLs to fetch and the times of their clocks. What leaves: the host that has been ready longest.
A host has one place in the line; one whose requests under way are as many as it may have stands aside until one of
them ends.
"""

from __future__ import annotations

import heapq

from textpipe.crawl.politeness import Politeness

__all__ = ["Schedule"]


class Schedule:
    """A line of hosts, by the time each may be asked again and then by the time it joined."""

    def __init__(self, politeness: Politeness) -> None:
        self._politeness = politeness
        self._line: list[tuple[float, int, str]] = []
        self._places: dict[str, tuple[float, int, str]] = {}  # entries of the line that are no longer here are void
        self._joined = 0

    def join(self, host: str, *, not_before: float = 0.0) -> None:
        """Put a host with URLs to fetch in the line, unless it stands there already, earlier, or is busy."""
        ready_at = self._politeness.ready_at(host)
        if ready_at is None:
            return
        ready_at = max(ready_at, not_before)
        place = self._places.get(host)
        if place is not None and place[0] <= ready_at:
            return
        self._joined += 1
        self._places[host] = (ready_at, self._joined, host)
        heapq.heappush(self._line, self._places[host])

    def take(self, now: float) -> str | None:
        """The next host that is ready, out of the line; None when there is none yet."""
        while (soonest := self.soonest()) is not None and soonest <= now:
            host = heapq.heappop(self._line)[2]
            del self._places[host]
            ready_at = self._politeness.ready_at(host)
            if ready_at is not None and ready_at <= now:
                return host
            self.join(host)  # it was told to wait while it stood here
        return None

    def soonest(self) -> float | None:
        """When the first host will be ready; None when the line is empty."""
        while self._line and self._places.get(self._line[0][2]) is not self._line[0]:
            heapq.heappop(self._line)
        return self._line[0][0] if self._line else None

    def waiting(self) -> dict[str, float]:
        """Each host in the line and when it will be ready, the first one first."""
        return {host: ready_at for ready_at, _, host in sorted(self._places.values())}
