"""Lines of JSON into compressed parts that a killed run can go on from.

What enters: lines, one after the other. What leaves: ``part-00000.jsonl.zst``, ``part-00001…``, each of at most
``shard_bytes`` of lines. Promises: the bytes of the parts depend on the lines only, not on when the run was interrupted
or its progress saved; after a crash each part on disk is whole and holds at least the lines last recorded.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import zstandard

from textpipe.errors import StateError
from textpipe.files import replace_file
from textpipe.sources import read_blocks

__all__ = ["ShardWriter"]

_LEVEL = 3


class ShardWriter:
    """Writes one series of parts.

    Parameters
    ----------
    directory : where the parts go.
    shard_bytes : most bytes of lines in a part; a longer single line has a part of its own.
    state : what :meth:`save` returned in the run this one continues, or None.
    """

    def __init__(self, directory: Path, *, shard_bytes: int, state: dict[str, Any] | None = None) -> None:
        self.directory = directory
        self.shard_bytes = shard_bytes
        self._num_closed = 0
        self._lines: list[bytes] = []
        self._num_bytes = 0
        self._num_saved = 0  # lines of the open part that are on disk
        if state is not None:
            self._continue(int(state["closed"]), int(state["open_lines"]))

    def add(self, line: str) -> None:
        """Append one line (without its newline)."""
        data = line.encode("utf-8") + b"\n"
        if self._lines and self._num_bytes + len(data) > self.shard_bytes:
            self._write()
            self._num_closed += 1
            self._lines, self._num_bytes, self._num_saved = [], 0, 0
        self._lines.append(data)
        self._num_bytes += len(data)

    def save(self) -> dict[str, int]:
        """Make everything durable; returns what a later run needs to continue from here."""
        if self._num_saved < len(self._lines):
            self._write()
        return {"closed": self._num_closed, "open_lines": len(self._lines)}

    def paths(self) -> list[Path]:
        """Every part written so far."""
        return [self._path(number) for number in range(self._num_closed + (1 if self._num_saved else 0))]

    def lines(self) -> Iterator[bytes]:
        """Every line of the run this one continues, in order."""
        for number in range(self._num_closed):
            yield from b"".join(read_blocks(self._path(number))).splitlines(keepends=True)
        yield from self._lines

    def _path(self, number: int) -> Path:
        return self.directory / f"part-{number:05d}.jsonl.zst"

    def _write(self) -> None:
        data = b"".join(self._lines)
        with replace_file(self._path(self._num_closed)) as file:
            file.write(zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compress(data))
        self._num_saved = len(self._lines)

    def _continue(self, num_closed: int, num_open_lines: int) -> None:
        for number in range(num_closed + (1 if num_open_lines else 0)):
            if not self._path(number).is_file():
                raise StateError(
                    "a part that was finished is gone",
                    where=self._path(number),
                    hint="remove the folder and start again",
                )
        self._num_closed = num_closed
        if num_open_lines:
            # A crash between the part and its record leaves more lines than recorded: the same ones come again.
            found = b"".join(read_blocks(self._path(num_closed))).splitlines(keepends=True)
            self._lines = found[:num_open_lines]
            self._num_bytes = sum(map(len, self._lines))
            self._num_saved = num_open_lines if len(found) == num_open_lines else 0
