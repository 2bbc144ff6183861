"""Outputs of many files: ``manifest.json``, written last, is what makes the others count.

What enters: a folder and the names in it. What leaves: their sizes and sha256 in one small file; readers trust only
what a manifest names and what agrees with it. A folder can also be filled aside and put in place by one rename.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from textpipe.errors import FormatError, InputError, StateError
from textpipe.files import calls
from textpipe.files.calls import sync_directory, sync_path
from textpipe.files.replacing import is_temporary, remove_temporaries, temporary_name, write_json

__all__ = ["MANIFEST", "publish_directory", "read_manifest", "sha256_file", "write_manifest"]

MANIFEST = "manifest.json"
MANIFEST_VERSION = 1
_AGAIN = "copy the whole folder again, or make it again"


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
            raise FormatError(
                f"{name} {state} where the manifest says {size} bytes", path=path, field="files", hint=_AGAIN
            )
        if verify and sha256_file(member) != digest:
            raise FormatError(
                f"{name} is not the file that was written: its sha256 differs", path=path, field="files", hint=_AGAIN
            )
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
    appears under ``path`` by one rename. When the block raises, nothing is left; what an earlier writer of the same
    ``path`` left when it was killed goes first. ``path`` must not exist.

    Raises
    ------
    StateError
        when ``path`` exists, or another process made it meanwhile.
    """
    target = Path(os.path.realpath(path))
    if target.exists():
        raise StateError("this folder exists already", where=target, hint="name a new one, or remove it first")
    target.parent.mkdir(parents=True, exist_ok=True)
    remove_temporaries(target.parent, of=target.name)
    staging = temporary_name(target)
    staging.mkdir()
    try:
        yield staging
        members = sorted(p for p in staging.rglob("*") if p.is_file() and not is_temporary(p))
        for member in members:
            sync_path(member)
        write_manifest(staging, kind=kind, files=members, counts=counts, config=config)
        for folder in sorted({p.parent for p in members} | {staging}, reverse=True):
            sync_directory(folder)
        calls.system.rename(str(staging), str(target))
        sync_directory(target.parent)
    except BaseException as error:
        shutil.rmtree(staging, ignore_errors=True)
        if isinstance(error, OSError) and error.errno in (errno.EEXIST, errno.ENOTEMPTY) and target.exists():
            raise StateError(
                "another process made this folder meanwhile", where=target, hint="the same command again compares it"
            ) from None
        raise
