"""When to save what a long training knows.

What enters: the times at which it was saved, and how long that took. What leaves: whether it is time. Promises: saved
every few seconds, and at most a twentieth of the time goes to it; at a stop only what is saved before anybody minds.
"""

from __future__ import annotations

import time

__all__ = ["Rhythm"]

_SAVE_EVERY_S = 5.0
_LEAST_RATIO = 20  # of the time between two savings to the time that the last one took
_AT_STOP_S = 0.15


class Rhythm:
    """Tells when a saving is due.

    Examples
    --------
    >>> rhythm = Rhythm()
    >>> rhythm.is_due()
    False
    """

    def __init__(self) -> None:
        self._every_s = _SAVE_EVERY_S
        self._last_took_s = 0.0
        self._saved_at = time.monotonic()
        self._began_at = self._saved_at

    def is_due(self) -> bool:
        """Whether enough time has gone by."""
        return time.monotonic() - self._saved_at >= self._every_s

    def has_time_at_stop(self) -> bool:
        """Whether a saving, if it takes what the last one took, is over soon enough for one who waits for the end."""
        return self._last_took_s <= _AT_STOP_S

    def is_too_long_at_stop(self) -> bool:
        """Whether the saving that was begun takes longer than one who waits for the end should wait."""
        return time.monotonic() - self._began_at > _AT_STOP_S

    def is_worth_it(self) -> bool:
        """Whether a saving before other work begins costs less than what would be lost."""
        return time.monotonic() - self._saved_at >= max(_SAVE_EVERY_S, 2 * self._last_took_s)

    def begin(self) -> None:
        """A saving begins."""
        self._began_at = time.monotonic()

    def end(self) -> None:
        """It is over, or was left out."""
        self._saved_at = time.monotonic()
        self._last_took_s = self._saved_at - self._began_at
        self._every_s = max(_SAVE_EVERY_S, _LEAST_RATIO * self._last_took_s)
