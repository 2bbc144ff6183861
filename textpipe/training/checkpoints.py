"""Checkpoints: everything a run needs to go on, or a model to write text, in one folder.

What enters: a model, its optimiser, the step and the run's configuration. What leaves: ``step-00000100/`` with

    model.safetensors      the weights
    average.safetensors    their running mean, where there is one
    optimizer.safetensors  the optimiser's memory
    state.json             step, configuration, scores, and what else a resumed run goes on from
    tokenizer.json         the tokenizer the model was trained with (source-tokenizer.json: of the source)
    manifest.json          sizes and sha256 of the above

The folder appears under its name by one rename, when every file of it is on the disk; so a name is a whole checkpoint,
the highest number is the newest, and nothing else has to say so. Loading compares every sha256 and runs no code.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textpipe.errors import FormatError, InputError, require
from textpipe.files import publish_directory, read_manifest, write_bytes, write_json
from textpipe.training.run_config import RunConfig
from textpipe.training.watching import rank_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch
    from torch import nn

    from textpipe.training.step import Stepper

__all__ = ["Checkpoint", "find_checkpoint", "list_checkpoints", "save_checkpoint"]

KIND = "checkpoint"
_NAME = re.compile(r"step-(\d{8,})")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A whole, verified checkpoint on disk and what its state.json says."""

    path: Path
    step: int
    config: RunConfig
    scores: dict[str, float | None]
    progress: dict[str, Any]

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Checkpoint:
        """Read and verify a checkpoint folder.

        Raises
        ------
        InputError, FormatError
            when it is not one, is unfinished, or a byte of it was changed.
        """
        folder = Path(path)
        read_manifest(folder, kind=KIND, verify=True)
        try:
            state = json.loads((folder / "state.json").read_bytes())
            config = RunConfig(**state["config"])
            return cls(folder, int(state["step"]), config, dict(state["scores"]), dict(state["progress"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise FormatError(f"not the state of a run ({error})", path=folder / "state.json") from None

    def tensors(self, name: str) -> dict[str, torch.Tensor]:
        """What a safetensors file of the checkpoint holds."""
        safetensors = require("safetensors.torch", extra="train")
        try:
            tensors: dict[str, torch.Tensor] = safetensors.load((self.path / name).read_bytes())
        except Exception as error:  # safetensors has one class of its own and raises builtins besides
            raise FormatError(f"not a safetensors file ({error})", path=self.path / name) from None
        return tensors

    def load_weights(self, model: nn.Module, *, averaged: bool = False) -> None:
        """Copy the weights into ``model``, which must be of the same shape; their running mean where asked for."""
        name = self.weights_name if averaged else "model.safetensors"
        try:
            model.load_state_dict(self.tensors(name))
        except RuntimeError as error:
            raise FormatError(f"these weights are of another model ({error})", path=self.path / name) from None

    def load_into(self, stepper: Stepper) -> None:
        """Weights, their mean, the optimiser's memory and what the watch over losses remembers."""
        if stepper.parallel.is_cut:
            stepper.load_parts(self.path)
        else:
            self.load_weights(stepper.model)
            stepper.optimizer.load_state(self.tensors("optimizer.safetensors"))
            if stepper.mean is not None:
                stepper.mean.load(self.tensors("average.safetensors"))
        stepper.load_state(self.progress)

    @property
    def weights_name(self) -> str:
        """The file of the weights to write with: their running mean, where one was kept."""
        return "average.safetensors" if self.config.train.average_decay > 0 else "model.safetensors"


def save_checkpoint(
    folder: Path,
    *,
    step: int,
    stepper: Stepper,
    config: RunConfig,
    tokenizer_files: Mapping[str, bytes],
    progress: Mapping[str, Any] | None = None,
    scores: Mapping[str, float | None] | None = None,
) -> Path:
    """Write ``folder/step-…`` durably and return it; the scores are those of this very step, if it was validated.

    Where ranks hold parts of the model, the others have to :func:`help_saving` meanwhile.

    Notes
    -----
    Memory: a copy of the optimiser's state.
    """
    safetensors = require("safetensors.torch", extra="train")
    path = folder / f"step-{step:08d}"
    with publish_directory(path, kind=KIND, counts={"step": step}) as staging:
        for name, tensors in stepper.tensors().items():
            if stepper.parallel.is_cut:
                stepper.parallel.write(staging / name, tensors)
            else:
                write_bytes(staging / name, safetensors.save(tensors))
        for name, data in tokenizer_files.items():
            write_bytes(staging / name, data)
        state = {
            "step": step,
            "scores": dict(scores or {}),
            "progress": {**stepper.state(), **(progress or {})},
            "config": config.model_dump(mode="json"),
        }
        write_json(staging / "state.json", state)
    return path


def help_saving(stepper: Stepper) -> None:
    """Write this rank's parts of the checkpoint that the first rank saves."""
    if stepper.parallel.is_cut:
        for name, tensors in stepper.tensors().items():
            stepper.parallel.write(Path(name), tensors)


def list_checkpoints(folder: str | os.PathLike[str]) -> list[Path]:
    """The checkpoints in a folder, oldest first; anything under another name is not one."""
    parent = Path(folder)
    found = [path for path in parent.iterdir() if _NAME.fullmatch(path.name)] if parent.is_dir() else []
    return sorted(found, key=lambda path: int(path.name.removeprefix("step-")))


def remove_old_checkpoints(folder: Path, *, keep: int) -> None:
    """Keep the newest ``keep`` checkpoints and the one with the best validation score."""
    paths = list_checkpoints(folder)
    scored = [(score, path) for path in paths if (score := _rank(path)) is not None]
    kept = {*paths[-keep:], *([min(scored)[1]] if scored else [])}
    for path in paths:
        if path not in kept:
            # renamed first: a folder half removed must not be taken for a checkpoint
            doomed = path.with_name(f".{path.name}.{os.getpid()}-removed.tmp")
            path.rename(doomed)
            shutil.rmtree(doomed)


def _rank(path: Path) -> float | None:
    try:
        scores = json.loads((path / "state.json").read_bytes())["scores"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return rank_of(scores) if isinstance(scores, dict) else None


def find_checkpoint(path: str | os.PathLike[str], *, best: bool = False) -> Path:
    """The checkpoint meant by ``path``: a checkpoint itself, or a run's newest or best one.

    Raises
    ------
    InputError
        when there is none.
    """
    folder = Path(path)
    if _NAME.fullmatch(folder.name) and (folder / "state.json").exists():
        return folder
    paths = list_checkpoints(folder / "checkpoints")
    if not paths:
        state = "no checkpoint in this folder" if folder.is_dir() else "no such folder"
        raise InputError(
            state, where=folder, hint="name what textpipe train wrote (or, to use a model, textpipe export)"
        )
    scored = [(score, path) for path in paths if (score := _rank(path)) is not None]
    return min(scored)[1] if best and scored else paths[-1]
