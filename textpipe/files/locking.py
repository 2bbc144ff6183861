"""One writer a folder, by a lock that dies with its process.

What enters: a folder. What leaves: the right to write there, or at once an error that says another has it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from textpipe.errors import StateError

__all__ = ["lock_directory"]


@contextlib.contextmanager
def lock_directory(directory: str | os.PathLike[str]) -> Iterator[Path]:
    """Hold a folder as its only writer; made if absent. A second writer is refused at once, readers are not held up."""
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StateError(
                "another textpipe process is writing here", where=folder, hint="wait for it, or name another folder"
            ) from None
        yield folder
    finally:
        os.close(descriptor)
