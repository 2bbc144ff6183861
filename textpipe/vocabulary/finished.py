"""A folder that a training made, and whether the same call made it.

What enters: a folder, and what is recorded of a training. What leaves: the vocabulary that is there already, nothing
where there is none, or an error that says in what a folder made otherwise differs: it is not written over.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textpipe.errors import StateError
from textpipe.files import MANIFEST, read_manifest
from textpipe.tokenizer import Tokenizer

__all__ = ["KIND", "Vocabulary", "finished"]

KIND = "train-vocab"


@dataclass(frozen=True)
class Vocabulary:
    """A finished folder."""

    path: Path
    counts: dict[str, Any]

    @property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer in it."""
        return Tokenizer.from_file(self.path / "tokenizer.json")


def finished(folder: Path, recorded: dict[str, Any]) -> Vocabulary | None:
    """The folder if the same settings and the same files made it; None when there is none.

    Raises
    ------
    StateError
        when it was made otherwise, or is no such folder.
    """
    hint = "name another folder, or remove this one"
    if folder.exists() and not folder.is_dir():
        raise StateError("this is a file, not a folder", where=folder, hint="name a folder")
    if not folder.exists() or not any(folder.iterdir()):
        return None
    if not (folder / MANIFEST).exists():
        raise StateError("this folder holds something else", where=folder, hint=hint)
    manifest = read_manifest(folder, kind=KIND)
    if manifest["config"] != recorded:
        found = _difference(manifest["config"], recorded)
        raise StateError(f"this folder was made with other settings or other texts: {found}", where=folder, hint=hint)
    return Vocabulary(folder, manifest["counts"])


def _difference(made: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    """The settings that differ, in a few words."""
    if {**made, "sources": None} == {**asked, "sources": None}:
        return "the texts are not the same"
    names = [name for name in asked if name != "sources" and made.get(name) != asked[name]]
    shown = [f"{name} {_short(made.get(name))}, now {_short(asked[name])}" for name in names]
    return "; ".join(shown)


def _short(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)[:80]
