"""What files a path stands for.

What enters: paths. What leaves: files, in a fixed order. A folder made by ``textpipe clean`` stands for its shards; any
other folder for the texts in it and in the folders below, name by name.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from textpipe.errors import InputError
from textpipe.files import MANIFEST, is_temporary, read_manifest, refuse_unfinished

__all__ = ["PACKED_SUFFIXES", "Inputs", "expand", "is_jsonl", "is_parquet"]

Inputs = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]

PACKED_SUFFIXES = (".gz", ".zst")
_TEXT_SUFFIXES = (".txt", ".md", ".jsonl", ".parquet")
_ALLOWED = ".jsonl .txt .md, also .gz or .zst, and .parquet"


def _unpacked_name(path: Path) -> str:
    name = path.name.lower()
    for suffix in PACKED_SUFFIXES:
        name = name.removesuffix(suffix)
    return name


def is_jsonl(path: str | os.PathLike[str]) -> bool:
    """Whether a file holds a JSON document a line (by its name, compression aside)."""
    return _unpacked_name(Path(path)).endswith(".jsonl")


def is_parquet(path: str | os.PathLike[str]) -> bool:
    """Whether a file holds a table in Parquet's format (by its name)."""
    return Path(path).name.lower().endswith(".parquet")


def expand(inputs: Inputs) -> list[Path]:
    """The files that ``inputs`` stand for, in a fixed order.

    Raises
    ------
    InputError
        when a path is absent, unreadable, or a folder holds no text or an output that is not finished.
    """
    if isinstance(inputs, str | os.PathLike):
        inputs = [inputs]
    found: list[Path] = []
    for item in inputs:
        path = Path(item)
        if path.is_dir():
            found += _expand_folder(path)
        elif not path.exists():
            raise InputError("no such file or folder", where=path)
        elif not os.access(path, os.R_OK):
            raise InputError("this file may not be read", where=path, hint="check its permissions")
        else:
            found.append(path)
    return found


def _expand_folder(folder: Path) -> list[Path]:
    """A finished output gives its documents; any other folder the text in it and in the folders below, name by name."""
    if (folder / MANIFEST).exists():
        manifest = read_manifest(folder)
        names = _documents(manifest)
        if not names:
            raise InputError(f'the output of "{manifest["kind"]}" holds no documents', where=folder)
        return [folder / name for name in names]
    found = list(_text_below(folder))
    if not found:
        raise InputError(
            "no text files in this folder", where=folder, allowed=".jsonl .txt .md, also .gz or .zst, and .parquet"
        )
    return found


def _documents(manifest: dict[str, Any]) -> list[str]:
    return [e["path"] for e in manifest["files"] if is_jsonl(e["path"]) and not e["path"].startswith("removed")]


def _text_below(folder: Path) -> Iterator[Path]:
    refuse_unfinished(folder)  # half of a corpus, and what was dropped from it, must not pass for the corpus
    for path in sorted(folder.iterdir()):
        if is_temporary(path):
            continue
        if path.is_dir() and (path / MANIFEST).exists():  # a finished output: a card or a dropped page is no text
            yield from (path / name for name in _documents(read_manifest(path)))
        elif path.is_dir():
            yield from _text_below(path)
        elif path.is_file() and _unpacked_name(path).endswith(_TEXT_SUFFIXES):
            yield path
