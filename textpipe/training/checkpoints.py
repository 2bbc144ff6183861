"""Checkpoints: everything a run needs to go on, or a model to write text, in one folder.

What enters: a model, its optimiser, the step and the run's configuration. What leaves: ``step-00000100/`` with

    model.safetensors      the weights
    average.safetensors    their running mean, where there is one
    optimizer.safetensors  the optimiser's memory
    state.json             step, configuration, scores, and what else a resumed run goes on from
    tokenizer.json         the tokenizer the model was trained with (source-tokenizer.json: of the source)
    manifest.json          sizes and sha256 of the above

The folder appears under its name by one rename, when every file of it is on the disk; so a name is a whole checkpoint,
the highest number is the newest, and nothing else has to say so. Loading compares every sha256 and runs no code. The
tokenizer is compared by its own digest with the one the model was trained with, and another is refused.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textpipe.errors import FormatError, InputError, StateError, require
from textpipe.files import publish_directory, read_manifest, write_bytes, write_json
from textpipe.training.run_config import RunConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch
    from torch import nn

    from textpipe.tokenizer import Tokenizer
    from textpipe.training.step import Stepper

__all__ = ["Checkpoint", "find_checkpoint", "list_checkpoints", "load_model", "save_checkpoint"]

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
        name = "average.safetensors" if averaged and self.has_average else "model.safetensors"
        try:
            model.load_state_dict(self.tensors(name))
        except RuntimeError as error:
            raise FormatError(f"these weights are of another model ({error})", path=self.path / name) from None

    @property
    def has_average(self) -> bool:
        """Whether a running mean of the weights was kept."""
        return self.config.train.average_decay > 0


def save_checkpoint(
    folder: Path,
    *,
    step: int,
    stepper: Stepper,
    config: RunConfig,
    tokenizer_files: Mapping[str, Path],
    progress: Mapping[str, Any] | None = None,
    scores: Mapping[str, float | None] | None = None,
) -> Path:
    """Write ``folder/step-…`` durably and return it; the scores are those of this very step, if it was validated.

    Notes
    -----
    Memory: a copy of the optimiser's state.
    """
    safetensors = require("safetensors.torch", extra="train")
    path = folder / f"step-{step:08d}"
    with publish_directory(path, kind=KIND, counts={"step": step}) as staging:
        weights = {name: tensor.detach().contiguous() for name, tensor in stepper.model.state_dict().items()}
        write_bytes(staging / "model.safetensors", safetensors.save(weights))
        if stepper.mean is not None:
            write_bytes(staging / "average.safetensors", safetensors.save(stepper.mean.weights))
        write_bytes(staging / "optimizer.safetensors", safetensors.save(stepper.optimizer.state()))
        for name, source in tokenizer_files.items():
            write_bytes(staging / name, source.read_bytes())
        state = {
            "step": step,
            "scores": dict(scores or {}),
            "progress": {**stepper.state(), **(progress or {})},
            "config": config.model_dump(mode="json"),
        }
        write_json(staging / "state.json", state)
    return path


def list_checkpoints(folder: str | os.PathLike[str]) -> list[Path]:
    """The checkpoints in a folder, oldest first; anything under another name is not one."""
    parent = Path(folder)
    found = [path for path in parent.iterdir() if _NAME.fullmatch(path.name)] if parent.is_dir() else []
    return sorted(found, key=lambda path: int(path.name.removeprefix("step-")))


def remove_old_checkpoints(folder: Path, *, keep: int) -> None:
    """Keep the newest ``keep`` checkpoints and the one with the best validation score."""
    paths = list_checkpoints(folder)
    scored = [(score, path) for path in paths if (score := _val_score(path)) is not None]
    kept = {*paths[-keep:], *([min(scored)[1]] if scored else [])}
    for path in paths:
        if path not in kept:
            # renamed first: a folder half removed must not be taken for a checkpoint
            doomed = path.with_name(f".{path.name}.{os.getpid()}-removed.tmp")
            path.rename(doomed)
            shutil.rmtree(doomed)


def _val_score(path: Path) -> float | None:
    try:
        score = json.loads((path / "state.json").read_bytes())["scores"]["val_loss"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return float(score) if isinstance(score, int | float) else None


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
        raise InputError(state, where=folder, hint="name the folder textpipe train wrote, or one of its checkpoints")
    scored = [(score, path) for path in paths if (score := _val_score(path)) is not None]
    return min(scored)[1] if best and scored else paths[-1]


def check_tokenizer(found: str, expected: str, *, where: object) -> None:
    """Refuse a tokenizer that is not the one a model was trained with, showing both digests."""
    if found != expected:
        raise StateError(
            f"another tokenizer: sha256 {found}, where the model was trained with {expected}",
            where=where,
            hint="ids would mean other texts; use the tokenizer.json of the run itself",
        )


def load_model(
    path: str | os.PathLike[str], *, best: bool = False, device: str = "cpu", tokenizer: Tokenizer | None = None
) -> tuple[Any, Tokenizer, dict[str, Any]]:
    """A trained model, its tokenizer, and facts about it.

    The facts are ``step``, ``architecture``, ``eos_id``, ``val_loss``, ``val_bits_per_byte`` and, for a model of pairs
    whose source has a vocabulary of its own, ``source_tokenizer``. Where a running mean of the weights was kept, it is
    what is loaded.

    Parameters
    ----------
    path : a run folder or a checkpoint in it.
    best : the checkpoint with the lowest validation loss instead of the newest.
    tokenizer : use this one; it must be the model's own. Read from the checkpoint when absent.

    Raises
    ------
    StateError
        when the tokenizer is not the one the model was trained with.
    """
    checkpoint = Checkpoint.open(find_checkpoint(path, best=best))
    from textpipe.tokenizer import Tokenizer

    identity = checkpoint.config.data
    if tokenizer is None:
        tokenizer = Tokenizer.from_file(str(checkpoint.path / "tokenizer.json"))
    check_tokenizer(tokenizer.sha256, identity.tokenizer_sha256, where=checkpoint.path)
    facts: dict[str, Any] = {
        "step": checkpoint.step,
        "architecture": checkpoint.config.architecture,
        "eos_id": identity.eos_id,
        "val_loss": checkpoint.scores.get("val_loss"),
        "val_bits_per_byte": checkpoint.scores.get("val_bits_per_byte"),
    }
    if identity.source_tokenizer_sha256 is not None:
        facts["source_tokenizer"] = Tokenizer.from_file(str(checkpoint.path / "source-tokenizer.json"))
        check_tokenizer(facts["source_tokenizer"].sha256, identity.source_tokenizer_sha256, where=checkpoint.path)
    from textpipe.nn.architectures import new_model  # from here on torch is needed

    model = new_model(checkpoint.config.model)
    checkpoint.load_weights(model, averaged=True)
    return model.to(device).eval(), tokenizer, facts
