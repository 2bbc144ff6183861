"""Whose turn it is.

What enters: hosts with URLs to fetch and the times of their clocks. What leaves: the host that has been ready longest.
A host stands in the line at most once; one whose requests under way are as many as it may have stands aside until one
of them ends.
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
        self._standing: set[str] = set()
        self._joined = 0

    def join(self, host: str) -> None:
        """Put a host with URLs to fetch in the line, unless it stands there or is busy."""
        if host in self._standing:
            return
        ready_at = self._politeness.ready_at(host)
        if ready_at is None:
            return
        self._joined += 1
        self._standing.add(host)
        heapq.heappush(self._line, (ready_at, self._joined, host))

    def take(self, now: float) -> str | None:
        """The next host that is ready, out of the line; None when there is none yet."""
        while self._line and self._line[0][0] <= now:
            _, _, host = heapq.heappop(self._line)
            self._standing.discard(host)
            ready_at = self._politeness.ready_at(host)
            if ready_at is not None and ready_at <= now:
                return host
            self.join(host)  # it was told to wait while it stood here
        return None

    def soonest(self) -> float | None:
        """When the first host will be ready; None when the line is empty."""
        return self._line[0][0] if self._line else None

    def waiting(self) -> dict[str, float]:
        """Each host in the line and when it will be ready."""
        return {host: ready_at for ready_at, _, host in sorted(self._line)}
