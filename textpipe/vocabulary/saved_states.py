"""Where a training of vocabularies saves how far it is: beside what is to be made, until it is made.

What enters: the files, the settings and the folders to make. What leaves: a state for the counting of each corpus, and
for what is learned for each folder. Promises: a state fits the same files with the same settings alone; when all is
made nothing of them is left.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from textpipe import __version__
from textpipe.trainers import CountingState, TrainingState
from textpipe.vocabulary.config import VocabConfig
from textpipe.vocabulary.inputs import SourceFiles

__all__ = ["PARITY", "SPANS", "SUPERWORDS", "SavedStates"]

SPANS = "spans of words"
"""Stands for a corpus where the text is counted a second time; no corpus can be named so."""
PARITY = "parity"
"""The stage of finding weights by training round after round."""
SUPERWORDS = ("words", "spans")
"""The two stages of learning superwords."""


class SavedStates:
    """The states of one training.

    Parameters
    ----------
    folders : those to make; counts lie beside the first.
    """

    def __init__(self, folders: Iterable[Path], config: VocabConfig, files: SourceFiles) -> None:
        self._folders = list(folders)
        target = self._folders[0]
        settings = config.model_dump(mode="json", exclude={"vocab_size"})
        self._purpose: list[Any] = [__version__, settings, files.stamps]
        self._learning: dict[tuple[Path, str], TrainingState] = {}
        self.counting = {
            name: CountingState(target.with_name(f".{target.name}.{number}.counting"), self._key(name))
            for number, name in enumerate((*files.corpora, SPANS))
        }

    def learning(self, folder: Path, sizes: Iterable[int], stage: str = "") -> TrainingState:
        """Of what is learned for a folder, or one stage of it."""
        path = folder.with_name(f".{folder.name}{'.' if stage else ''}{stage}.training")
        self._learning[folder, stage] = state = TrainingState(path, self._key(stage, *sizes))
        return state

    def learned(self, folder: Path, stage: str) -> None:
        """A stage is over, and nothing of it is needed."""
        self._learning.pop((folder, stage)).remove()

    def forget(self) -> None:
        """Remove all that was saved, by a run before too that was killed when its folders were made."""
        for counting in self.counting.values():
            counting.remove()
        for folder, stage in itertools.product(self._folders, ("", PARITY, *SUPERWORDS)):
            if (folder, stage) not in self._learning:
                self.learning(folder, (), stage)
        for learning in self._learning.values():
            learning.remove()

    def _key(self, *more: Any) -> str:
        return hashlib.sha256(json.dumps([*self._purpose, more]).encode()).hexdigest()
