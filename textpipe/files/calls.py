"""The system calls that change the disk, in one place, so that tests can fail or kill at the n-th of them.

What enters: descriptors, paths, bytes. What leaves: a raw writer whose short writes are continued and whose errors are
raised, never half-reported.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

__all__ = ["RawWriter", "System", "sync_directory", "sync_path", "system"]

BUFFER_BYTES = 1 << 20


class System:
    """What the rest of this package calls instead of ``os``."""

    def open(self, path: str, flags: int) -> int:
        return os.open(path, flags, 0o666)

    def write(self, descriptor: int, data: memoryview) -> int:
        return os.write(descriptor, data)

    def fsync(self, descriptor: int) -> None:
        os.fsync(descriptor)

    def truncate(self, descriptor: int, size: int) -> None:
        os.ftruncate(descriptor, size)

    def rename(self, source: str, target: str) -> None:
        os.replace(source, target)

    def unlink(self, path: str) -> None:
        os.unlink(path)


system = System()


class RawWriter(io.RawIOBase):
    """Unbuffered writer over one descriptor; a short write is continued, an error is raised, never half-reported."""

    def __init__(self, path: Path, flags: int) -> None:
        super().__init__()
        self.path = path
        self.descriptor = system.open(str(path), flags | os.O_CLOEXEC)

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        total = len(view)
        while view:
            written = system.write(self.descriptor, view)
            if written <= 0:
                raise OSError(f"{self.path}: the system wrote nothing")
            view = view[written:]
        return total

    def tell(self) -> int:
        return os.lseek(self.descriptor, 0, os.SEEK_CUR)

    def fileno(self) -> int:
        return self.descriptor

    def close(self) -> None:
        if not self.closed:
            os.close(self.descriptor)
            super().close()


def sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        system.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_path(path: Path) -> None:
    """Make a file that somebody else wrote durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        system.fsync(descriptor)
    finally:
        os.close(descriptor)
