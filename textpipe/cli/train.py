"""``textpipe train MODEL``: preset, TOML file and flags, each over the one before, make the configuration of a run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from textpipe.nn.shapes import GptConfig
    from textpipe.training.run_config import TrainConfig

app = typer.Typer(help="Train a model on token shards.", no_args_is_help=True, rich_markup_mode="rich")


@app.callback()
def _models() -> None:
    """Train a model on token shards."""


_MODEL_KEYS = ("context", "layers", "heads", "width", "dropout")


@app.command("gpt")
def gpt(
    data: Path = typer.Argument(help="Folder of token shards that textpipe pack wrote."),
    *,
    out: Path = typer.Option(Path("run"), "--out", "-o", help="Folder of the run; the same command goes on with it."),
    preset: str = typer.Option("tiny", "--preset", help="tiny, nano, small or base."),
    config: Path | None = typer.Option(
        None, "--config", help="TOML file with the tables model and train; goes over the preset."
    ),
    steps: int | None = typer.Option(None, "--steps", help="Optimiser steps."),
    batch_size: int | None = typer.Option(None, "--batch-size", help="Sequences a step."),
    micro_batch_size: int | None = typer.Option(None, "--micro-batch-size", help="Sequences in memory at once."),
    learning_rate: float | None = typer.Option(None, "--learning-rate", help="Peak learning rate."),
    warmup_steps: int | None = typer.Option(None, "--warmup-steps", help="Steps to the peak."),
    context: int | None = typer.Option(None, "--context", help="Longest sequence, in tokens."),
    layers: int | None = typer.Option(None, "--layers", help="Blocks."),
    heads: int | None = typer.Option(None, "--heads", help="Attention heads a block."),
    width: int | None = typer.Option(None, "--width", help="Width of the model."),
    dropout: float | None = typer.Option(None, "--dropout", help="Share of activations zeroed."),
    document_mask: bool | None = typer.Option(
        None, "--document-mask/--no-document-mask", help="Attention stops at document borders.", show_default=False
    ),
    prompt: list[str] = typer.Option([], "--prompt", help="Beginning of the samples in the log; may be repeated."),
    seed: int | None = typer.Option(None, "--seed", help="With the step it decides everything."),
    device: str | None = typer.Option(None, "--device", help="auto, cpu, cuda or mps."),
    dtype: str | None = typer.Option(None, "--dtype", help="auto, float32 or bfloat16."),
    threads: int | None = typer.Option(None, "--threads", help="CPU threads."),
    quiet: bool = typer.Option(False, "--quiet", "-q", help="No progress on standard error."),
) -> None:
    """Train a GPT from nothing.

    \b
    textpipe train gpt shards --preset tiny --out run
    textpipe train gpt shards --config mine.toml --steps 20000 --out run

    Ctrl-C saves and leaves; the same command again goes on from there, exactly.
    """
    given = {name: value for name, value in locals().items() if name in _flag_names() and value is not None}
    if prompt:
        given["sample_prompts"] = tuple(prompt)
    _train_gpt(data, out, preset=preset, config=config, given=given, quiet=quiet)


def _train_gpt(data: Path, out: Path, *, preset: str, config: Path | None, given: dict[str, Any], quiet: bool) -> None:
    from textpipe.cli.progress import Progress
    from textpipe.data.packing import PackedData
    from textpipe.errors import require

    packed = PackedData(data, verify=True)
    model, train = _configure(preset, config, given, vocab_size=packed.vocab_size)
    require("torch", extra="train")  # what can be refused without it has been
    from textpipe.training.loop import Trainer

    with Progress(quiet=quiet) as progress:
        trainer = Trainer(model, packed, train, out=out, progress=progress)
        progress.note(
            f"{model.num_parameters:,} parameters, {packed.train.num_tokens:,} tokens to train on, "
            f"{train.steps * train.batch_size * model.context:,} to read"
        )
        result = trainer.run()
    print(f"checkpoint\t{result.checkpoint}")
    print(f"loss\t{result.val_loss:.4f} nats a token on the held-out split, unigram entropy {result.unigram_loss:.4f}")
    print(f"bits per byte\t{result.val_bits_per_byte:.4f}")
    if result.tokens_per_s > 0:
        print(f"{result.tokens_per_s:,.0f} tokens/s", file=sys.stderr)


def _flag_names() -> frozenset[str]:
    from textpipe.training.run_config import TrainConfig

    return frozenset({*_MODEL_KEYS, *TrainConfig.model_fields})


def _configure(
    preset: str, path: Path | None, given: dict[str, Any], *, vocab_size: int
) -> tuple[GptConfig, TrainConfig]:
    """Preset, then file, then flags."""
    from textpipe.config import load_toml
    from textpipe.nn.shapes import GptConfig
    from textpipe.training.run_config import ConfigFile, TrainConfig, preset_keys

    model_keys, train_keys = preset_keys(preset)
    if path is not None:
        file = load_toml(path, ConfigFile).model_dump(exclude_unset=True)
        model_keys |= file.get("model", {})
        train_keys |= file.get("train", {})
    model_keys |= {name: value for name, value in given.items() if name in _MODEL_KEYS}
    train_keys |= {name: value for name, value in given.items() if name not in _MODEL_KEYS}
    return GptConfig(**{"vocab_size": vocab_size, **model_keys}), TrainConfig(**train_keys)
