"""The only code that opens a file for writing.

What enters: bytes and a place. What leaves: files that, after a crash at any instant, are the old whole file or the new
whole file, never a part. The order is always: temporary name in the same folder → write all (short writes continued) →
flush and fsync → rename → fsync of the folder; on any failure the temporary file goes and the error is raised. Outputs
of many files end with ``manifest.json``, written last, which holds each file's size and sha256: readers trust only what
a manifest names. Temporary names begin with a dot and end in ``.tmp``; no reader takes them for data.

    replace_file      one file, whole          GrowingFile        one long file, usable after each sync
    write_bytes …     the same in one call     LineLog            JSON lines appended one by one
    publish_directory many files, at once      lock_directory     one writer a folder
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import io
import json
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from textpipe.errors import FormatError, InputError, StateError

__all__ = [
    "GrowingFile",
    "LineLog",
    "is_temporary",
    "lock_directory",
    "publish_directory",
    "read_manifest",
    "remove_temporaries",
    "replace_file",
    "sha256_file",
    "write_bytes",
    "write_json",
    "write_manifest",
    "write_text",
]

MANIFEST = "manifest.json"
MANIFEST_VERSION = 1
_BUFFER_BYTES = 1 << 20


class System:
    """The system calls that change the disk, in one place so that tests can fail or kill at the n-th of them."""

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


_system = System()


class _RawWriter(io.RawIOBase):
    """Unbuffered writer over one descriptor; a short write is continued, an error is raised, never half-reported."""

    def __init__(self, path: Path, flags: int) -> None:
        super().__init__()
        self.path = path
        self.descriptor = _system.open(str(path), flags | os.O_CLOEXEC)

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        total = len(view)
        while view:
            written = _system.write(self.descriptor, view)
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


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _system.fsync(descriptor)
    finally:
        os.close(descriptor)


def _temporary_name(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")


def is_temporary(path: str | os.PathLike[str]) -> bool:
    """Whether a name is one of ours for something unfinished."""
    name = os.path.basename(os.fspath(path))
    return name.startswith(".") and name.endswith(".tmp")


def remove_temporaries(directory: str | os.PathLike[str]) -> list[Path]:
    """Delete what killed writers left in ``directory``; a file of a process that still runs is left alone."""
    removed = []
    folder = Path(directory)
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        owner = path.name.split(".")[-2].partition("-")[0] if is_temporary(path) else ""
        if not owner.isdigit() or _is_running(int(owner)):
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            _system.unlink(str(path))
        removed.append(path)
    return removed


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextlib.contextmanager
def replace_file(path: str | os.PathLike[str], *, create_parents: bool = True) -> Iterator[BinaryIO]:
    """Write a whole file and put it in place at once.

    Yields a buffered binary writer. When the block ends the file is durable under ``path``; when it raises, ``path`` is
    as it was and the temporary file is gone. A symbolic link is followed; an existing file's permissions are kept.

    Raises
    ------
    OSError
        from the system (no space, no permission), with ``path`` in it.
    """
    target = Path(os.path.realpath(path))
    if create_parents:
        target.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary_name(target)
    raw = _RawWriter(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    writer = io.BufferedWriter(raw, _BUFFER_BYTES)
    try:
        yield writer
        writer.flush()
        with contextlib.suppress(FileNotFoundError):
            os.fchmod(raw.descriptor, stat.S_IMODE(os.stat(target).st_mode))
        _system.fsync(raw.descriptor)
        raw.close()
        _system.rename(str(temporary), str(target))
        _sync_directory(target.parent)
    except BaseException as error:
        raw.close()
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        if isinstance(error, OSError) and error.filename is None and error.errno is not None:
            raise OSError(error.errno, error.strerror, str(target)) from error
        raise


def write_bytes(path: str | os.PathLike[str], data: bytes | bytearray | memoryview) -> None:
    """Write ``data`` as the whole of ``path`` (see :func:`replace_file`)."""
    with replace_file(path) as writer:
        writer.write(data)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write ``text`` as UTF-8."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: str | os.PathLike[str], value: object) -> None:
    """Write ``value`` as indented JSON, text unescaped, ending in a newline."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n")


class GrowingFile:
    """A long file that grows over hours and keeps what was synced.

    It lives under ``path + ".open"`` until :meth:`finish` renames it. After a crash, opening it again continues it;
    the owner cuts it back with :meth:`truncate` to the last size he recorded from :meth:`sync`.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.open_path = self.path.with_name(self.path.name + ".open")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._raw = _RawWriter(self.open_path, os.O_WRONLY | os.O_CREAT)
        os.lseek(self._raw.descriptor, 0, os.SEEK_END)
        self._writer = io.BufferedWriter(self._raw, _BUFFER_BYTES)

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
        _system.fsync(self._raw.descriptor)
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
        _system.truncate(self._raw.descriptor, size)
        os.lseek(self._raw.descriptor, size, os.SEEK_SET)

    def finish(self) -> Path:
        """Sync, give the file its final name and close it."""
        self.sync()
        self.close()
        _system.rename(str(self.open_path), str(self.path))
        _sync_directory(self.path.parent)
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
        self._raw = _RawWriter(self.path, os.O_WRONLY | os.O_CREAT)
        data = self.path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole != len(data):
            _system.truncate(self._raw.descriptor, whole)
        os.lseek(self._raw.descriptor, whole, os.SEEK_SET)

    def append(self, row: Mapping[str, object], *, sync: bool = False) -> None:
        """Write one row; ``sync`` waits until it is on the disk."""
        self._raw.write((json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n").encode())
        if sync:
            _system.fsync(self._raw.descriptor)

    def rows(self) -> list[dict[str, Any]]:
        """Every whole row so far."""
        return [json.loads(line) for line in self.path.read_bytes().splitlines()]

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


def sha256_file(path: str | os.PathLike[str]) -> str:
    """Hex sha256 of a file's bytes, in constant memory."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_manifest(
    directory: str | os.PathLike[str],
    *,
    kind: str,
    files: Iterable[str | os.PathLike[str]],
    counts: Mapping[str, object] | None = None,
    config: Mapping[str, object] | None = None,
) -> dict[str, Any]:
    """Write ``manifest.json``: the last file of an output of many files, and what makes the others count.

    ``files`` are paths in ``directory``, absolute or relative to it. Returns what was written.
    """
    from textpipe import __version__

    folder = Path(directory)
    entries = []
    for name in sorted(os.path.relpath(folder / name, folder) for name in files):
        path = folder / name
        entries.append({"path": name, "bytes": path.stat().st_size, "sha256": sha256_file(path)})
    manifest = {
        "manifest_version": MANIFEST_VERSION,
        "kind": kind,
        "textpipe_version": __version__,
        "counts": dict(counts or {}),
        "config": dict(config or {}),
        "files": entries,
    }
    write_json(folder / MANIFEST, manifest)
    return manifest


def read_manifest(
    directory: str | os.PathLike[str], *, kind: str | None = None, verify: bool = False
) -> dict[str, Any]:
    """Read and check ``manifest.json`` of a finished output.

    Sizes of all files are always compared; ``verify=True`` also compares every sha256 (reads everything).

    Raises
    ------
    InputError
        when there is no manifest: the output is unfinished or is not ours.
    FormatError
        when it is broken, is of another kind, or a file differs from what it says.
    """
    path = Path(directory) / MANIFEST
    try:
        manifest = json.loads(path.read_bytes())
        entries = [(str(e["path"]), int(e["bytes"]), str(e["sha256"])) for e in manifest["files"]]
        found = str(manifest["kind"])
    except FileNotFoundError:
        raise InputError(
            "no manifest.json here: not a finished output", where=directory, hint="run the command that makes it again"
        ) from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise FormatError(f"not a manifest ({error})", path=path, hint="make this output again") from None
    if kind is not None and found != kind:
        raise FormatError(f'this is the output of "{found}"', path=path, field="kind", allowed=kind)
    for name, size, digest in entries:
        member = Path(directory) / name
        if os.path.isabs(name) or ".." in Path(name).parts:
            raise FormatError(f"file name {name!r} leaves the folder", path=path, field="files")
        have = member.stat().st_size if member.is_file() else -1
        if have != size:
            state = "is missing" if have < 0 else f"has {have} bytes"
            raise FormatError(f"{name} {state} where the manifest says {size} bytes", path=path, field="files")
        if verify and sha256_file(member) != digest:
            raise FormatError(f"{name} is not the file that was written: its sha256 differs", path=path, field="files")
    return dict(manifest)


@contextlib.contextmanager
def publish_directory(
    path: str | os.PathLike[str],
    *,
    kind: str,
    counts: Mapping[str, object] | None = None,
    config: Mapping[str, object] | None = None,
) -> Iterator[Path]:
    """Fill a folder aside and put it in place at once, with its manifest.

    Yields a staging folder beside ``path``; whatever is written into it is fsynced, listed in ``manifest.json`` and
    appears under ``path`` by one rename. When the block raises, nothing is left. ``path`` must not exist.
    """
    target = Path(os.path.realpath(path))
    if target.exists():
        raise StateError("this folder exists already", where=target, hint="name a new one, or remove it first")
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = _temporary_name(target)
    staging.mkdir()
    try:
        yield staging
        members = sorted(p for p in staging.rglob("*") if p.is_file() and not is_temporary(p))
        for member in members:
            _sync_path(member)
        write_manifest(staging, kind=kind, files=members, counts=counts, config=config)
        for folder in sorted({p.parent for p in members} | {staging}, reverse=True):
            _sync_directory(folder)
        _system.rename(str(staging), str(target))
        _sync_directory(target.parent)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise


def _sync_path(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _system.fsync(descriptor)
    finally:
        os.close(descriptor)


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
