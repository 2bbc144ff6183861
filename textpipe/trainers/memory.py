"""A limit on the memory of this process.

What enters: a number of bytes, or a text such as ``200MB``. What leaves: how much room is left, and a
:class:`~textpipe.errors.LimitError` before or as soon as the limit is passed. The memory is what the system calls
resident: everything the process holds, the interpreter and its libraries included. It is looked at again and again, and
the most the process held in between counts as well, so that work which ends never was above its limit.
"""

from __future__ import annotations

import os
import re
import resource
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from textpipe.core._word_counts import release_freed_memory
from textpipe.errors import ConfigError, LimitError

__all__ = ["MemoryLimit", "parse_bytes", "resident_bytes"]

_UNITS = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3, "t": 1000**4}
_BINARY_UNITS = {"ki": 1 << 10, "mi": 1 << 20, "gi": 1 << 30, "ti": 1 << 40}
_NEAR = 5  # that part of the limit left is little
_SIZE = re.compile(r"\s*(\d{1,15}(?:\.\d{1,9})?)\s*([a-z]*?)b?\s*", re.ASCII | re.IGNORECASE)


def parse_bytes(text: str) -> int:
    """A size in bytes from a number and a unit.

    Raises
    ------
    ConfigError
        when the text is no size.

    Examples
    --------
    >>> parse_bytes("200MB"), parse_bytes("1.5 GiB"), parse_bytes("4096")
    (200000000, 1610612736, 4096)
    """
    found = _SIZE.fullmatch(text)
    unit = (_UNITS | _BINARY_UNITS).get(found[2].lower()) if found else None
    if found is None or unit is None:
        raise ConfigError(f"{text!r} is no size", allowed="a number with kB, MB, GB or KiB, MiB, GiB, such as 200MB")
    return round(float(found[1]) * unit)


def resident_bytes() -> int:
    """The memory this process holds now; where the system does not say, the most it ever held."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return most_resident_bytes()
    return pages * os.sysconf("SC_PAGE_SIZE")


def most_resident_bytes() -> int:
    """The most memory this process ever held."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        return int(status.partition("VmHWM:")[2].split()[0]) << 10
    except (OSError, ValueError, IndexError):
        # On Linux this begins at what the process that started this one held, so it is only asked second.
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak << 10


@dataclass(frozen=True)
class MemoryLimit:
    """The most this process may hold from now on.

    Parameters
    ----------
    num_bytes : the limit.
    """

    num_bytes: int
    most_before: int = field(default_factory=most_resident_bytes, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, size: int | str | MemoryLimit | None) -> MemoryLimit | None:
        """A limit from what a user writes; None where there is none."""
        if size is None or isinstance(size, MemoryLimit):
            return size
        num_bytes = parse_bytes(size) if isinstance(size, str) else size
        if num_bytes <= 0:
            raise ConfigError(f"a memory limit of {num_bytes} bytes holds nothing", allowed="1 or more")
        return cls(num_bytes)

    def room(self) -> int:
        """Bytes that may still be taken; negative when the limit is passed."""
        return self.num_bytes - resident_bytes()

    def require(self, num_bytes: int, what: str) -> None:
        """Refuse work that will not fit.

        Raises
        ------
        LimitError
            naming the limit that would do.
        """
        room = self.room()
        if num_bytes > room:
            raise self._error(
                f"{what} needs about {megabytes(num_bytes)} and {megabytes(max(room, 0))} are left", num_bytes
            )

    def check(self, what: str) -> None:
        """Stop work that has passed the limit, now or since the last look.

        Raises
        ------
        LimitError
            naming what was at work.
        """
        room = self.room()
        if room < self.num_bytes // _NEAR:
            release_freed_memory()  # pages of freed blocks count too while the allocator keeps them
            room = self.room()
        held = self.num_bytes - room
        most = most_resident_bytes()
        if most > self.most_before:  # else the process held that before the limit was set
            held = max(held, most)
        if held > self.num_bytes:
            raise self._error(f"{what} took {megabytes(held)}", self.num_bytes // 2)

    def _error(self, what: str, more: int) -> LimitError:
        least = resident_bytes() + more
        return LimitError(
            f"{what} under a memory limit of {megabytes(self.num_bytes)}",
            hint=f"allow {megabytes(round(least, -7) + 10_000_000)}, or train on fewer texts",
        )

    def guarded(self, progress: Any) -> Any:
        """``progress``, which may be None, with the limit checked at every call."""

        def check_and_report(phase: str, *row: Any, **facts: Any) -> None:
            self.check(phase)
            if progress is not None:
                progress(phase, *row, **facts)

        return check_and_report


def megabytes(num_bytes: int) -> str:
    """Bytes for a person, such as ``200 MB``."""
    return f"{num_bytes / 1e6:,.0f} MB"
