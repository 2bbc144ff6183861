"""The folder of a tokenizer that was made from another: with more entries or with fewer.

What enters: the tokenizer, the one it was made from, the settings and the texts that decided. What leaves: a folder
with ``tokenizer.json``, maps of the ids where they changed, a card and a manifest, both of which name the tokenizer it
came from and the texts by their sha256. Promises: the folder appears whole or not at all.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from textpipe import __version__
from textpipe.files import publish_directory, replace_file, write_json, write_text
from textpipe.markdown import code, table
from textpipe.tokenizer import Tokenizer
from textpipe.vocabulary.card import TOKENIZER_USAGE, data_section, shortfall
from textpipe.vocabulary.editing import Pruned

__all__ = ["Origin", "publish_extended", "publish_pruned"]

_MAPS_USAGE = (
    ("id_map.npy", '`weight[numpy.load("id_map.npy")]` are the rows of the new embedding: the old id of each new one'),
    ("id_map.json", "the new id of each old one that stays"),
)


@dataclass(frozen=True)
class Origin:
    """What a tokenizer was made from.

    Parameters
    ----------
    tokenizer : the one it was before.
    settings : by name, for the card and the manifest.
    sources : name, size and sha256 of each file that decided, as ``SourceFiles.describe`` has them.
    """

    tokenizer: Tokenizer
    settings: Mapping[str, Any]
    sources: Sequence[Mapping[str, Any]] = ()


def publish_extended(tokenizer: Tokenizer, out: str | os.PathLike[str], origin: Origin) -> dict[str, int]:
    """Write the folder of a tokenizer that has grown; returns its figures.

    Raises
    ------
    StateError
        when ``out`` exists.
    """
    size, kept = tokenizer.get_vocab_size(), origin.tokenizer.get_vocab_size()
    asked = origin.settings["vocab_size"]
    counts = {"vocab_size": size, "asked_vocab_size": asked, "kept": kept, "added": size - kept}
    done = f"{kept:,} entries kept with their ids, {size - kept:,} added"
    with publish_directory(out, kind="vocab-extend", counts=counts, config=_recorded(origin)) as staging:
        _write(staging, tokenizer, origin, f"{done}, by textpipe {__version__}.\n{shortfall(counts)}", ())
    return counts


def publish_pruned(pruned: Pruned, out: str | os.PathLike[str], origin: Origin) -> dict[str, int]:
    """Write the folder of a tokenizer that was cut down, with the map of its ids; returns its figures.

    ``id_map.npy`` holds the old id of each new one; ``id_map.json`` the new id of each old one that stays.

    Raises
    ------
    StateError
        when ``out`` exists.
    """
    kept = len(pruned.old_ids)
    counts = {"vocab_size": kept, "removed": origin.tokenizer.get_vocab_size() - kept}
    done = f"{kept:,} entries kept, {counts['removed']:,} removed, and those that were kept have new ids"
    with publish_directory(out, kind="vocab-prune", counts=counts, config=_recorded(origin)) as staging:
        _write(staging, pruned.tokenizer, origin, f"{done}, by textpipe {__version__}.\n", _MAPS_USAGE)
        write_json(staging / "id_map.json", {str(old): new for new, old in enumerate(pruned.old_ids.tolist())})
        with replace_file(staging / "id_map.npy") as target:
            # np.save would seek in a real file; this one only grows.
            np.lib.format.write_array_header_1_0(target, np.lib.format.header_data_from_array_1_0(pruned.old_ids))
            target.write(pruned.old_ids.data)
    return counts


def _recorded(origin: Origin) -> dict[str, Any]:
    before = {"sha256": origin.tokenizer.sha256, "vocab_size": origin.tokenizer.get_vocab_size()}
    return {**origin.settings, "from": before, "sources": list(origin.sources)}


def _write(folder: Path, tokenizer: Tokenizer, origin: Origin, done: str, more: Sequence[tuple[str, str]]) -> None:
    """The tokenizer and its card."""
    before = origin.tokenizer
    parts = [
        f"# A vocabulary of {tokenizer.get_vocab_size():,} entries",
        f"Byte-pair encoding: {done}Made from a tokenizer of {before.get_vocab_size():,} entries, whose sha256 is "
        f"{code(before.sha256)}. sha256 of this one: {code(tokenizer.sha256)}.",
        table(("file", "what for"), [(code(name), what) for name, what in (TOKENIZER_USAGE, *more)]),
        "## Settings\n\n" + table(("setting", "value"), [(key, str(value)) for key, value in origin.settings.items()]),
        *([data_section(origin.sources)] if origin.sources else []),
    ]
    tokenizer.save(folder / "tokenizer.json")
    write_text(folder / "README.md", "\n\n".join(parts) + "\n")
