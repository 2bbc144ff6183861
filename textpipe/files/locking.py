"""One writer a folder, by a lock that dies with its process.

What enters: a folder. What leaves: the right to write there, or at once an error that says another has it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from textpipe.errors import InputError, StateError

__all__ = ["lock_directory", "refuse_unfinished"]

_LOCK = ".lock"


@contextlib.contextmanager
def lock_directory(directory: str | os.PathLike[str]) -> Iterator[Path]:
    """Hold a folder as its only writer; made if absent. A second writer is refused at once, readers are not held up."""
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
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


def refuse_unfinished(directory: str | os.PathLike[str]) -> None:
    """Refuse to read a folder without a manifest that a writer held: it is half of an output.

    Raises
    ------
    InputError
        with what finishes it.
    """
    if (Path(directory) / _LOCK).exists():
        raise InputError(
            "this output is not finished: it has no manifest.json yet",
            where=directory,
            hint="run the command that makes it again: it goes on where it stopped",
        )
