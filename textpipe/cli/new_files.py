"""Files that a verb is told to write.

What enters: their paths. What leaves: nothing, or a refusal where one is there already, before anything is computed.
"""

from __future__ import annotations

from pathlib import Path

from textpipe.errors import StateError

__all__ = ["refuse_existing"]


def refuse_existing(*paths: Path | None) -> None:
    """Refuse to write over a file; None is a file that nobody asked for.

    Raises
    ------
    StateError
        naming the first that is there.
    """
    for path in paths:
        if path is not None and path.exists():
            raise StateError("there is a file already", where=path, hint="name another, or remove it")
