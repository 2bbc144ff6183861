"""The other end of :class:`~textpipe.engine.local.LocalEngine`: one worker process.

What enters: a descriptor number as the only argument; over it the import path, the factory, then batches of items. What
leaves: ``("ready",)`` or ``("broken", why)``, then a message for each item and ``("idle", resident bytes)`` after each
batch. It ends when the other side closes the line, so it never outlives its parent by more than one item.
"""

from __future__ import annotations

import contextlib
import os
import resource
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from textpipe.engine.outcome import failure_of

__all__ = ["main"]


def _memory() -> tuple[int, int]:
    """Bytes of address space and of resident memory this process holds; their peak where the system tells no more."""
    try:
        with open("/proc/self/statm", "rb") as file:
            total, resident = (int(field) * os.sysconf("SC_PAGE_SIZE") for field in file.read().split()[:2])
            return total, resident
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        return peak, peak


def _cap_growth(num_bytes: int) -> None:
    # Some systems do not have this limit; the growth guard of the parent still recycles the worker there.
    with contextlib.suppress(ValueError, OSError):
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (_memory()[0] + num_bytes, hard))


def _serve(line: Connection[Any, Any], function: Callable[[Any], Any]) -> None:
    while True:
        for item in line.recv():
            try:
                message: tuple[Any, ...] = ("value", function(item))
            except Exception as error:  # whatever one document does wrong is that document's failure
                message = ("failed", failure_of(error))
            line.send(message)
        line.send(("idle", _memory()[1]))


def main(descriptor: int) -> None:
    """Serve until the line is closed."""
    with Connection(descriptor) as line, contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        sys.path[:] = line.recv()
        try:
            factory, memory_bytes = line.recv()
            function = factory()
        except EOFError:
            raise
        except BaseException as error:
            line.send(("broken", f"{type(error).__name__}: {error}"))
            return
        _cap_growth(memory_bytes)
        line.send(("ready",))
        _serve(line, function)


if __name__ == "__main__":
    main(int(sys.argv[1]))
