"""When each host may be asked again.

What enters: the hosts' answers, their latency and what they ask for. What leaves: the time before which a host is left
alone. The delay of a host is the largest of the configured floor, what its robots.txt asks for (capped) and half the
sum of the last delay and the last latency, so that a slow server is asked slowly; an error never makes it shorter. It
counts from the end of one request to the start of the next, so the gap a server sees is never smaller. A failing host
is asked again after Retry-After, or after :meth:`Politeness.back_off_s`; when five URLs in a row have failed it sleeps
ten minutes, then twice as long each time, up to six hours. (URLs, not tries: three broken pages of a healthy site that
are tried again and again at the end of a crawl are no reason to leave it.)

A floor of 0 asked for on a private host (loopback, one's own network) is taken at its word: nothing else delays it.
"""

from __future__ import annotations

import datetime
import email.utils
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from textpipe.limits import DEFAULT_LIMITS, Limits

__all__ = ["HostClock", "Politeness", "retry_after_s"]

_MAX_ADAPTIVE_S = 60.0
_MAX_BACK_OFF_S = 40.0
_FAILING_BEFORE_SLEEP = 5
_SLEEP_S, _MAX_SLEEP_S = 600.0, 6 * 3600.0


@dataclass(slots=True)
class HostClock:
    """What is known about one host. ``next_at`` is in seconds of the wall clock, so that it outlives the process."""

    next_at: float = 0.0
    delay_s: float = 0.0
    asked_s: float = 0.0
    num_failures: int = 0
    num_sleeps: int = 0
    num_in_flight: int = 0
    is_own: bool = False
    failing: set[str] = field(default_factory=set)


class Politeness:
    """The clocks of all hosts.

    Parameters
    ----------
    floor_s : the least delay between two requests to a host.
    per_host : requests under way at once to a private host; any other host gets one.
    is_private : tells a private host; asked once a host.
    clock : seconds of the wall clock.
    seed : of the jitter.
    """

    def __init__(
        self,
        floor_s: float,
        *,
        clock: Callable[[], float],
        is_private: Callable[[str], bool] = lambda host: False,
        per_host: int = 1,
        seed: int = 0,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self.floor_s = floor_s
        self.clock = clock
        self._is_private = is_private
        self._per_host = per_host
        self._random = random.Random(seed)
        self._limits = limits
        self._hosts: dict[str, HostClock] = {}

    def host(self, name: str) -> HostClock:
        """The clock of a host, made when first asked for."""
        found = self._hosts.get(name)
        if found is None:
            found = self._hosts[name] = HostClock(delay_s=self.floor_s, is_own=self._is_private(name))
        return found

    def ready_at(self, name: str) -> float | None:
        """When the next request to a host may start; None while it has as many under way as it may."""
        host = self.host(name)
        if host.num_in_flight >= (self._per_host if host.is_own else 1):
            return None
        return host.next_at

    def started(self, name: str) -> None:
        """A request to the host begins."""
        host = self.host(name)
        host.num_in_flight += 1
        host.next_at = max(host.next_at, self.clock() + self.delay_of(name))

    def asked(self, name: str, delay_s: float) -> float:
        """The host's robots.txt asks for a delay; returns the one that is kept (capped)."""
        host = self.host(name)
        host.asked_s = min(delay_s, self._limits.crawl_delay_s)
        return host.asked_s

    def delay_of(self, name: str) -> float:
        """Seconds between two requests to a host as things stand."""
        host = self.host(name)
        if host.is_own and self.floor_s == 0:
            return 0.0
        return max(self.floor_s, host.asked_s, host.delay_s)

    def answered(self, name: str, latency_s: float, *, is_error: bool = False) -> None:
        """A request ended with an answer; ``is_error`` when it is one that says nothing of the host's health (404)."""
        host = self.host(name)
        host.num_in_flight -= 1
        host.num_failures = host.num_sleeps = 0
        host.failing.clear()
        delay_s = min(_MAX_ADAPTIVE_S, max(self.floor_s, (host.delay_s + latency_s) / 2))
        host.delay_s = max(host.delay_s, delay_s) if is_error else delay_s
        host.next_at = max(host.next_at, self.clock() + self.delay_of(name))

    def failed(self, name: str, url: str, *, retry_after: float | None = None) -> float:
        """A request for ``url`` ended in a failure of the host; returns the seconds it is now left alone."""
        host = self.host(name)
        host.num_in_flight -= 1
        host.num_failures += 1
        host.failing.add(url)
        if retry_after is None:
            wait_s = self.back_off_s(host.num_failures)
        else:
            wait_s = min(retry_after, self._limits.retry_after_s)
        if len(host.failing) >= _FAILING_BEFORE_SLEEP:
            wait_s = max(wait_s, min(_MAX_SLEEP_S, _SLEEP_S * 2.0 ** min(host.num_sleeps, 6)))
            host.num_sleeps += 1
            host.num_failures = 0
            host.failing.clear()
        wait_s = max(wait_s, self.delay_of(name))
        host.next_at = max(host.next_at, self.clock() + wait_s)
        return wait_s

    def back_off_s(self, num_failures: int) -> float:
        """Seconds to wait after the n-th failure in a row: 2ⁿ⁻¹ × U(0.5, 1.5), at most a minute."""
        return min(_MAX_BACK_OFF_S, 2.0 ** min(num_failures - 1, 10)) * self._random.uniform(0.5, 1.5)


def retry_after_s(value: str, now: float) -> float | None:
    """Seconds that a Retry-After header asks for (a number, or an HTTP date); None when it is neither.

    >>> retry_after_s("120", 0.0), retry_after_s("Thu, 01 Jan 1970 00:01:00 GMT", 15.0), retry_after_s("soon", 0.0)
    (120.0, 45.0, None)
    """
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    return max(0.0, moment.timestamp() - now)
