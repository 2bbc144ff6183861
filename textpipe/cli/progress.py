"""Progress on standard error: a live line on a terminal, a plain line every ten seconds elsewhere, nothing when quiet.

What enters: calls ``progress(phase, done, total, unit="pages", rate of facts…)`` from the library, as often as it
likes. What leaves: text for a person; never anything on standard output.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

__all__ = ["Progress", "duration", "with_memory"]

_PLAIN_EVERY_S = 10.0
_LIVE_EVERY_S = 0.1
_WIDTH = 80  # where the terminal does not say


class Progress:
    """A callable the library reports to, and a context manager that leaves the terminal clean."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self._live = sys.stderr.isatty() and not quiet
        self._phase = ""
        self._start = self._shown = 0.0
        self._first = 0  # what was done already when the phase began: a resumed run's rate is its own
        self._text = ""

    def __call__(self, phase: str, done: int, total: int | None = None, *, unit: str = "", **facts: object) -> None:
        """Report that ``done`` (of ``total``) ``unit`` are finished in ``phase``; ``facts`` are shown after."""
        if self.quiet:
            return
        now = time.monotonic()
        if phase != self._phase:
            self._finish_line()
            self._phase, self._start, self._shown = phase, now, 0.0 if self._live else now
            self._first = max(0, done - 1)
        self._text = self._line(done, total, unit, now - self._start, facts)
        if now - self._shown >= (_LIVE_EVERY_S if self._live else _PLAIN_EVERY_S):
            self._shown = now
            self._write()

    def _line(self, done: int, total: int | None, unit: str, seconds: float, facts: dict[str, object]) -> str:
        parts = [f"{self._phase}: {done:,}"]
        if total:
            parts[0] += f" of {total:,} {unit} ({100 * done / total:.0f} %)"
        else:
            parts[0] += f" {unit}"
        if seconds > 0.5 and done > self._first:
            rate = (done - self._first) / seconds
            if total and done < total:
                parts.append(f"{duration((total - done) / rate)} left")
            parts.append(f"{rate:,.0f} {unit}/s" if rate >= 100 else f"{rate:.3g} {unit}/s")
        parts += [f"{name.replace('_', ' ')} {value}" for name, value in facts.items()]
        return ", ".join(part.strip() for part in parts)

    def _write(self) -> None:
        if self._live:
            sys.stderr.write("\r\x1b[2K" + _fitted(self._text, _width()))
        else:
            sys.stderr.write(self._text + "\n")
        sys.stderr.flush()

    def _finish_line(self) -> None:
        if self._phase and self._text:
            if self._live:
                sys.stderr.write("\r\x1b[2K" + self._text + "\n")  # it stays, and may take several rows
                sys.stderr.flush()
            else:
                self._write()
            self._text = ""

    def note(self, text: str) -> None:
        """Print a line of its own that stays."""
        if self.quiet:
            return
        if self._live:
            sys.stderr.write("\r\x1b[2K")
        sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Any:
        if not self.quiet:
            self._finish_line()
            self._phase = ""


def with_memory(progress: Progress) -> Callable[..., None]:
    """The same, with the memory of this process after what is reported."""
    from textpipe.trainers.memory import megabytes, resident_bytes

    def report(phase: str, *row: Any, **facts: Any) -> None:
        progress(phase, *row, memory=megabytes(resident_bytes()), **facts)

    return report


def _width() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or _WIDTH
    except (OSError, ValueError):
        return _WIDTH


def _fitted(text: str, width: int) -> str:
    """A line that takes one row, which is all that can be written over: what stands last is left out first."""
    while len(text) >= width and ", " in text:
        text = text.rpartition(", ")[0]
    return text[: max(width - 1, 1)]


def duration(seconds: float) -> str:
    """A time for a person, such as ``2m 05s``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes:02d}m" if hours else f"{minutes}m {rest:02d}s" if minutes else f"{rest}s"
