"""Files that grow over hours: a long binary file that is usable after each sync, and a log of JSON lines.

What enters: records as they come. What leaves: a file that after a crash holds at least what was synced; its owner cuts
it back to the last size he recorded, and a torn last line of a log is cut off on opening.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from textpipe.errors import FormatError, StateError
from textpipe.files import calls
from textpipe.files.calls import BUFFER_BYTES, RawWriter, sync_directory
from textpipe.files.replacing import write_text

__all__ = ["GrowingFile", "LineLog"]


class GrowingFile:
    """A long file that grows over hours and keeps what was synced.

    It lives under ``path + ".open"`` until :meth:`finish` renames it. After a crash, opening it again continues it;
    the owner cuts it back with :meth:`truncate` to the last size he recorded from :meth:`sync`.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.open_path = self.path.with_name(self.path.name + ".open")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._raw = RawWriter(self.open_path, os.O_WRONLY | os.O_CREAT)
        os.lseek(self._raw.descriptor, 0, os.SEEK_END)
        self._writer = io.BufferedWriter(self._raw, BUFFER_BYTES)

    def write(self, data: bytes) -> int:
        return self._writer.write(data)

    def tell(self) -> int:
        """Bytes written so far, synced or not."""
        return self._writer.tell()

    def flush(self) -> None:
        self._writer.flush()

    def sync(self) -> int:
        """Make everything written durable; return the size to cut back to after a crash."""
        self._writer.flush()
        calls.system.fsync(self._raw.descriptor)
        return self._raw.tell()

    def truncate(self, size: int) -> None:
        """Cut the file back to ``size`` bytes, which must not be more than it has."""
        self._writer.flush()
        have = os.fstat(self._raw.descriptor).st_size
        if size > have:
            raise StateError(
                f"the file has {have} bytes where {size} were recorded as written",
                where=self.open_path,
                hint="it was changed from outside; start again in a new folder",
            )
        calls.system.truncate(self._raw.descriptor, size)
        os.lseek(self._raw.descriptor, size, os.SEEK_SET)

    def finish(self) -> Path:
        """Sync, give the file its final name and close it."""
        self.sync()
        self.close()
        calls.system.rename(str(self.open_path), str(self.path))
        sync_directory(self.path.parent)
        return self.path

    def close(self) -> None:
        """Close without renaming; what is written stays under the ``.open`` name."""
        if not self._raw.closed:
            try:
                self._writer.flush()
            finally:
                self._raw.close()

    def __enter__(self) -> GrowingFile:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class LineLog:
    """JSON objects appended a line each; a torn last line (a crash in the middle of a write) is cut off on opening."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._open()

    def _open(self) -> None:
        self._raw = RawWriter(self.path, os.O_WRONLY | os.O_CREAT)
        data = self.path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole != len(data):
            calls.system.truncate(self._raw.descriptor, whole)
        os.lseek(self._raw.descriptor, whole, os.SEEK_SET)

    def append(self, row: Mapping[str, object], *, sync: bool = False) -> None:
        """Write one row; ``sync`` waits until it is on the disk."""
        self._raw.write((json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n").encode())
        if sync:
            calls.system.fsync(self._raw.descriptor)

    def rows(self) -> list[dict[str, Any]]:
        """Every whole row so far."""
        found = []
        for number, line in enumerate(self.path.read_bytes().split(b"\n")[:-1], start=1):
            try:
                found.append(dict(json.loads(line)))
            except (ValueError, TypeError) as error:
                raise FormatError(
                    f"not a JSON object ({error})",
                    path=self.path,
                    field=f"line {number}",
                    hint="it was changed from outside; take this line out",
                ) from None
        return found

    def keep(self, wanted: Callable[[dict[str, Any]], bool]) -> None:
        """Rewrite the log with only the rows ``wanted`` accepts (a resumed run drops rows past its checkpoint)."""
        kept = [json.dumps(row, ensure_ascii=False) for row in self.rows() if wanted(row)]
        self.close()
        write_text(self.path, "".join(line + "\n" for line in kept))
        self._open()

    def close(self) -> None:
        self._raw.close()

    def __enter__(self) -> LineLog:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
