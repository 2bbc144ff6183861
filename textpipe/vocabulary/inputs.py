"""What a vocabulary is made from: the files, their digests, and their words counted.

What enters: corpora and the stages that make words. What leaves: one row a file for the card, and counts. Promises: a
file that changes while it is read is refused, so that the card tells the truth.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textpipe.errors import ConfigError, StateError
from textpipe.files import sha256_file
from textpipe.sources import LineReader, expand
from textpipe.trainers import MemoryLimit, WordCounts, WordCutter, count_files
from textpipe.trainers.counting import Progress
from textpipe.trainers.counting_state import CountingState
from textpipe.vocabulary.corpora import Corpus, name_corpora

__all__ = ["SourceFiles", "Work"]

Inputs = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]


@dataclass(frozen=True)
class Work:
    """How a training goes about it; nothing here changes what comes out.

    Parameters
    ----------
    threads : that count words; by default as many as there are processors.
    memory : what this process may hold.
    progress : told of each phase.
    scratch_folder : where words wait that do not fit in memory; beside what is made when absent.
    """

    threads: int | None = None
    memory: MemoryLimit | None = None
    progress: Progress | None = None
    scratch_folder: str | os.PathLike[str] | None = None

    @property
    def guarded(self) -> Progress | None:
        """Progress that also watches the limit."""
        return self.progress if self.memory is None else self.memory.guarded(self.progress)


class SourceFiles:
    """The files of every corpus, as they are now.

    Raises
    ------
    InputError
        when a path is absent or cannot be read.
    """

    def __init__(self, inputs: Inputs) -> None:
        listed = [inputs] if isinstance(inputs, str | os.PathLike) else list(inputs)
        self.corpora: Mapping[str, tuple[Path, ...]] = {
            corpus.name: tuple(_expand(corpus)) for corpus in name_corpora(listed)
        }
        self._stamps = {path: _stamp(path) for path in self.paths}

    @property
    def paths(self) -> list[Path]:
        """All files, in order."""
        return [path for paths in self.corpora.values() for path in paths]

    def describe(self) -> list[dict[str, Any]]:
        """Name, size and sha256 of every file, and its corpus where that has a name."""
        rows = []
        for corpus, paths in self.corpora.items():
            for path in paths:
                row = {"name": path.name, "bytes": path.stat().st_size, "sha256": sha256_file(path)}
                rows.append(row | {"corpus": corpus} if corpus else row)
        return rows

    @property
    def stamps(self) -> list[tuple[str, int, int, int]]:
        """Path, size, time and number of every file: these change when a file does."""
        return [(str(path.resolve()), *stamp) for path, stamp in self._stamps.items()]

    def count(
        self,
        cutter: WordCutter,
        work: Work,
        *,
        scratch_folder: Path,
        reader: LineReader,
        states: Mapping[str, CountingState],
    ) -> dict[str, WordCounts]:
        """The words of each corpus; a corpus whose state was saved goes on from there.

        Raises
        ------
        StateError
            when a file is not what it was.
        """
        counts = {
            corpus: count_files(
                paths,
                cutter,
                threads=work.threads,
                progress=work.progress,
                memory=work.memory,
                scratch_folder=scratch_folder,
                reader=reader,
                state=states[corpus],
            )
            for corpus, paths in self.corpora.items()
        }
        for path, stamp in self._stamps.items():
            if not path.exists() or _stamp(path) != stamp:
                raise StateError("this file changed while it was read", where=path, hint="run the command again")
        return counts

    def refuse_target(self, target: str | os.PathLike[str], folders: Iterable[Path]) -> None:
        """Counts may not be written over an input, nor into a folder that must appear whole."""
        place = Path(target).resolve()
        if place in {path.resolve() for path in self.paths}:
            raise ConfigError("the counts would be written over an input", where=target, hint="name another file")
        if any(folder.resolve() in place.parents for folder in folders):
            raise ConfigError("the counts would lie in the folder to make", where=target, hint="name a file elsewhere")


def _expand(corpus: Corpus) -> list[Path]:
    return expand(corpus.paths)


def _stamp(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns, status.st_ino
