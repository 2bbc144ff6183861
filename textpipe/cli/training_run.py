"""What the commands that train have in common: a training is described, or run, and its end is told.

What enters: a model's shape, data and settings. What leaves: a run's folder, progress on standard error, and the result
on standard output.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from textpipe.cli.progress import Progress
    from textpipe.data.training_data import TrainingData
    from textpipe.training.distributed.ranks import Ranks
    from textpipe.training.run_config import ModelConfig, RunConfig, StartIdentity, TrainConfig
    from textpipe.training.starting import Start

__all__ = ["RESUME", "begun_with", "resumed", "run_training"]

RESUME = typer.Option(False, "--resume", help="Go on with the run in --out, by its own settings where none are given.")


def resumed(out: Path, architecture: str, *, preset: str | None) -> RunConfig:
    """The configuration of the run in a folder.

    Raises
    ------
    InputError
        when there is no run, or one of another architecture.
    ConfigError
        for a preset, which would do nothing.
    """
    from textpipe.config import load_toml
    from textpipe.errors import ConfigError, InputError
    from textpipe.training.run_config import CONFIG_NAME, RunConfig

    path = out / CONFIG_NAME
    if not path.is_file():
        raise InputError("no run to go on with", where=out, hint="leave out --resume to begin one")
    found = load_toml(path, RunConfig)
    if found.architecture != architecture:
        raise InputError(f"the run of a {found.architecture}", where=out, allowed=architecture)
    if preset is not None:
        raise ConfigError("--preset with --resume", hint="the run has its settings: leave one of them out")
    return found


def begun_with(run: RunConfig | None, out: Path) -> Start | StartIdentity | None:
    """The weights that the run in a folder began with, if any; what is known of them once it has a checkpoint.

    Raises
    ------
    InputError
        when they are needed, and there no more.
    """
    from textpipe.errors import InputError
    from textpipe.training.checkpoints import list_checkpoints
    from textpipe.training.starting import Start

    if run is None or run.start is None:
        return None
    if list_checkpoints(out / "checkpoints"):
        return run.start
    path = Path(run.start.path)
    if not path.exists():
        raise InputError("the weights that the run began with are gone", where=path, hint="name them with --init-from")
    return Start.open(path)


def run_training(
    model: ModelConfig,
    data: TrainingData,
    train: TrainConfig,
    ranks: Ranks,
    *,
    out: Path,
    start: Start | StartIdentity | None,
    dry_run: bool,
    quiet: bool,
) -> None:
    """Train, or with ``dry_run`` say what it would take."""
    from textpipe.cli.progress import Progress
    from textpipe.cli.run_page import RunPage
    from textpipe.errors import require
    from textpipe.training.run_config import HeadConfig

    require("torch", extra="train")  # what can be refused without it has been
    from textpipe.training.loop import Trainer

    if dry_run and ranks.is_first:
        from textpipe.training.estimate import estimate

        for name, value in estimate(model, data, train).items():
            print(f"{name}\t{value}")
    if dry_run:
        return
    with Progress(quiet=quiet or not ranks.is_first) as progress:
        listeners = [RunPage(out, progress)] if ranks.is_first else []
        trainer = Trainer(model, data, train, out=out, start=start, progress=progress, listeners=listeners, ranks=ranks)
        _tell_beginning(trainer.run_config.start, data.notes(model), progress)
        try:
            result = trainer.run()
        finally:
            for page in listeners:
                page.write()
    if not ranks.is_first:
        return
    print(f"checkpoint\t{result.checkpoint}")
    if isinstance(model, HeadConfig):
        for name, value in result.scores.items():
            print(f"{name.removeprefix('val_').replace('_', ' ')}\t{'' if value is None else f'{value:.4f}'}")
    else:
        print(
            f"loss\t{result.val_loss:.4f} nats a token on the held-out split, unigram entropy {result.unigram_loss:.4f}"
        )
    if result.val_bits_per_byte == result.val_bits_per_byte:  # an encoder has none
        print(f"bits per byte\t{result.val_bits_per_byte:.4f}")
    if result.steps < train.steps:
        print(f"ended at step {result.steps:,}: {train.patience} validations brought nothing better", file=sys.stderr)
    if result.tokens_per_s > 0:
        print(f"{result.tokens_per_s:,.0f} tokens/s", file=sys.stderr)


def _tell_beginning(start: StartIdentity | None, notes: list[str], progress: Progress) -> None:
    """What of the weights to begin with is not kept, what is new beside them, and what of the data is not read."""
    if start is not None and start.changes:
        progress.note(f"begins with the weights of {start.path}, but {'; '.join(start.changes)}")
    for note in notes:
        progress.note(note)
