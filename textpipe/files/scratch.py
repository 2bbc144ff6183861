"""A file without a name, for what does not fit in memory.

What enters: bytes, piece by piece. What leaves: the same bytes, each piece by its place. Promises: nothing stays on the
disk when it is closed, nor when the process is killed; a piece that reads back otherwise is an error. Nothing is
fsynced: what must outlive the process belongs in :func:`textpipe.files.replace_file`.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from textpipe.files import calls
from textpipe.files.calls import RawWriter
from textpipe.files.replacing import temporary_name

__all__ = ["ScratchFile", "ScratchPiece"]


class ScratchPiece(NamedTuple):
    """Where a piece lies, and what it must read as."""

    offset: int
    size: int
    digest: bytes


class ScratchFile:
    """Room on the disk of ``folder``, which is made if absent.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, ScratchFile(folder) as scratch:
    ...     piece = scratch.write("밥".encode())
    ...     scratch.read(piece).decode()
    '밥'
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        path = temporary_name(self.folder / "scratch")
        self._raw = RawWriter(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        calls.system.unlink(str(path))  # the open descriptor keeps it
        self.num_bytes = 0

    def write(self, data: bytes) -> ScratchPiece:
        """Append a piece.

        Raises
        ------
        OSError
            from the system (no space), with the folder in it.
        """
        piece = ScratchPiece(self.num_bytes, len(data), hashlib.sha256(data).digest())
        try:
            self._raw.write(data)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.folder)) from error
        self.num_bytes += len(data)
        return piece

    def read(self, piece: ScratchPiece) -> bytes:
        """A piece that was written.

        Raises
        ------
        OSError
            when the disk gives back something else.
        """
        parts = []
        have = 0
        while have < piece.size:
            part = os.pread(self._raw.descriptor, piece.size - have, piece.offset + have)
            if not part:
                break
            parts.append(part)
            have += len(part)
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        if hashlib.sha256(data).digest() != piece.digest:
            raise OSError(f"{self.folder}: the disk gave back other bytes than were written at {piece.offset}")
        return data

    def close(self) -> None:
        """Give the room back."""
        self._raw.close()

    def __enter__(self) -> ScratchFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
