"""One file, whole: written aside and put in place by a rename.

What enters: bytes and a path. What leaves: the new file, or after any failure the old one. Temporary names begin with a
dot, carry the process that writes, and end in ``.tmp``.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from textpipe.errors import InputError
from textpipe.files import calls
from textpipe.files.calls import BUFFER_BYTES, RawWriter, sync_directory

__all__ = [
    "is_temporary",
    "remove_temporaries",
    "replace_file",
    "temporary_name",
    "write_bytes",
    "write_json",
    "write_text",
]


def temporary_name(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")


def is_temporary(path: str | os.PathLike[str]) -> bool:
    """Whether a name is one of ours for something unfinished."""
    name = os.path.basename(os.fspath(path))
    return name.startswith(".") and name.endswith(".tmp")


def remove_temporaries(directory: str | os.PathLike[str], *, of: str | None = None) -> list[Path]:
    """Delete what killed writers left in ``directory``; a file of a process that still runs is left alone.

    With ``of`` only what was to become the file or folder of that name.
    """
    removed = []
    folder = Path(directory)
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if of is not None and path.name.rsplit(".", 2)[0] != f".{of}":
            continue
        owner = path.name.split(".")[-2].partition("-")[0] if is_temporary(path) else ""
        if not owner.isdigit() or _is_running(int(owner)):
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            calls.system.unlink(str(path))
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
    InputError
        when ``path`` is a device, a pipe or a folder, which a rename would destroy or cannot replace.
    OSError
        from the system (no space, no permission), with ``path`` in it.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        raise InputError("not a regular file, and so not replaced", where=path, hint="name a file")
    if create_parents:
        target.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_name(target)
    raw = RawWriter(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    writer = io.BufferedWriter(raw, BUFFER_BYTES)
    try:
        yield writer
        writer.flush()
        with contextlib.suppress(FileNotFoundError):
            os.fchmod(raw.descriptor, stat.S_IMODE(os.stat(target).st_mode))
        calls.system.fsync(raw.descriptor)
        raw.close()
        calls.system.rename(str(temporary), str(target))
        sync_directory(target.parent)
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
