"""The folder of a run: whose it is, and where it goes on.

What enters: a place and the configuration of a run. What leaves: the right to write there, and the newest checkpoint.
A folder of another configuration, or of something else, is refused before a byte of it is changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from textpipe.config import dump_toml, load_toml
from textpipe.errors import FormatError, StateError
from textpipe.files import remove_temporaries, write_bytes
from textpipe.training.checkpoints import Checkpoint, list_checkpoints
from textpipe.training.loading import check_tokenizer
from textpipe.training.run_config import CONFIG_NAME, RunConfig

__all__ = ["RunFolder"]

# Names a run writes under, or that other outputs are known by: where one stands, a run is not begun.
_TAKEN = ("README.md", "config.json", "log.jsonl", "manifest.json", "source-tokenizer.json", "tokenizer.json")


class RunFolder:
    """The folder ``out`` for the run of this configuration."""

    def __init__(self, out: Path, config: RunConfig) -> None:
        self.out, self.config, self.checkpoints = out, config, out / "checkpoints"

    def check(self) -> None:
        """Refuse a folder that is not this run's, nor free.

        Raises
        ------
        StateError
            with the keys that differ, or the names that stand in the way.
        """
        path = self.out / CONFIG_NAME
        if path.exists():
            self._check_same(load_toml(path, RunConfig), path)
            return
        if list_checkpoints(self.checkpoints):
            raise StateError(f"checkpoints without their {CONFIG_NAME}", where=self.out, hint="name another folder")
        taken = [name for name in _TAKEN if (self.out / name).exists()]
        if taken:
            raise StateError(
                f"this folder holds something else: {', '.join(taken)}", where=self.out, hint="name another folder"
            )

    def claim(self, tokenizer_files: Mapping[str, bytes]) -> None:
        """Write down whose it is, and the tokenizers; what a killed run left half written goes."""
        for folder in (self.out, self.checkpoints):
            remove_temporaries(folder)
        dump_toml(self.config, self.out / CONFIG_NAME)  # first: it says that the rest is this run's
        for name, data in tokenizer_files.items():
            write_bytes(self.out / name, data)

    def newest(self) -> Checkpoint | None:
        """The checkpoint to go on from, verified.

        Raises
        ------
        StateError
            when it is damaged, or of another configuration.
        """
        found = list_checkpoints(self.checkpoints)
        if not found:
            return None
        try:
            checkpoint = Checkpoint.open(found[-1])
        except FormatError as error:
            raise StateError(
                f"the newest checkpoint is damaged ({error})",
                where=self.out,
                hint=f"remove {found[-1]} and run the same command again: it goes on from the one before",
            ) from None
        self._check_same(checkpoint.config, checkpoint.path)
        return checkpoint

    def _check_same(self, theirs: RunConfig, where: Path) -> None:
        check_tokenizer(self.config.data.tokenizer_sha256, theirs.data.tokenizer_sha256, where=where)
        different = theirs.conflicts(self.config)
        # Two digests would tell nobody anything; what the number of examples decides differs with them.
        if "data.fingerprint" in different and all(key.startswith(("data.", "train.")) for key in different):
            raise StateError(
                "this folder holds a run on other data",
                where=where,
                hint="repeat the first command with the data as they were, or name another folder with --out",
            )
        if different:
            listed = ", ".join(f"{key} = {old!r} there and {new!r} now" for key, (old, new) in different.items())
            raise StateError(
                f"this folder holds a run of another configuration: {listed}",
                where=where,
                hint="repeat the first command to go on with it, or name another folder with --out",
            )
