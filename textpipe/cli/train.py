"""``textpipe train ARCHITECTURE``: preset, TOML file and flags, each over the one before, make a run's configuration.

The flags are the keys of the model's shape and of the training, with their own descriptions: what a file may say, a
flag may say.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from textpipe.cli import finetune, unsupervised
from textpipe.cli.config_options import options_of, with_options
from textpipe.cli.training_run import RESUME, begun_with, resumed, run_training
from textpipe.training.distributed.ranks import Ranks, joined
from textpipe.training.presets import PRESETS, preset_keys
from textpipe.training.run_config import ARCHITECTURES, Architecture, TrainConfig, config_file, keys_not_read_by

if TYPE_CHECKING:
    from textpipe.training.run_config import ModelConfig, RunConfig, StartIdentity
    from textpipe.training.starting import Start

app = typer.Typer(help="Train a model.", no_args_is_help=True, rich_markup_mode="rich")

_GIVEN_BY_THE_DATA = ("vocab_size", "source_vocab_size")
_FLAG_OF = {"sample_prompts": "--prompt"}
_SUMMARY = {
    "gpt": "Train a language model (GPT-2's layout, or --layout gpt1 or llama) on token shards that pack wrote.",
    "bert": "Pretrain an encoder on token shards that pack wrote; the vocabulary needs [CLS], [SEP] and [MASK].",
    "transformer": "Train a Transformer that writes targets from sources, on pairs that pack-pairs wrote.",
    "seq2seq": "Train a recurrent encoder and decoder with attention, on pairs that pack-pairs wrote.",
}


@app.callback()
def _models() -> None:
    """Train a model."""


def _command_for(architecture: Architecture) -> Callable[..., None]:
    shape = ARCHITECTURES[architecture]
    presets = ", ".join(PRESETS[architecture])
    fixed = [
        ("data", Path, typer.Argument(help="Folder that pack or pack-pairs wrote.")),
        ("out", Path, typer.Option(Path("run"), "--out", "-o", help="Folder of the run; the same command goes on.")),
        ("preset", str | None, typer.Option(None, "--preset", help=f"Ready-made settings: {presets}. (tiny)")),
        (
            "config",
            Path | None,
            typer.Option(None, "--config", help="TOML with tables model and train; over the preset."),
        ),
        (
            "init_from",
            Path | None,
            typer.Option(
                None, "--init-from", help="Begin with the weights, and the shape, of a run or a folder of transformers."
            ),
        ),
        ("resume", bool, RESUME),
        ("dry_run", bool, typer.Option(False, "--dry-run", help="Say sizes, memory and time; train nothing.")),
        ("quiet", bool, typer.Option(False, "--quiet", "-q", help="No progress on standard error.")),
    ]

    def command(**given: Any) -> None:
        known = {name: given.pop(name) for name, _, _ in fixed}
        chosen = {name: value for name, value in given.items() if value not in (None, [])}
        # ranks that torchrun started meet before anything can fail, so that it is said once
        with joined() as ranks:
            _train(architecture, chosen, ranks, **known)

    kinds = inspect.Parameter.KEYWORD_ONLY
    parameters = [inspect.Parameter(name, kinds, default=option, annotation=kind) for name, kind, option in fixed]
    parameters += options_of(shape, "Model", left_out=_GIVEN_BY_THE_DATA)
    parameters += options_of(TrainConfig, "Training", left_out=keys_not_read_by(architecture), flags=_FLAG_OF)
    command.__doc__ = f"""{_SUMMARY[architecture]}

    \b
    textpipe train {architecture} shards --preset tiny --out run
    textpipe train {architecture} shards --config mine.toml --steps 20000 --out run

    torchrun --nproc-per-node 2 -m textpipe train {architecture} shards --out run

    Ctrl-C saves and leaves; the same command again goes on from there, exactly, and with torchrun on any number of
    processes. So does --resume without the settings:

    textpipe train {architecture} shards --out run --resume
    """
    return with_options(parameters)(command)


for _name in PRESETS:
    app.command(_name)(_command_for(_name))
app.command("finetune")(finetune.command)
app.command("unsupervised")(unsupervised.command)


def _train(
    architecture: Architecture,
    given: dict[str, Any],
    ranks: Ranks,
    *,
    data: Path,
    out: Path,
    preset: str | None,
    config: Path | None,
    init_from: Path | None,
    resume: bool,
    dry_run: bool,
    quiet: bool,
) -> None:
    run = resumed(out, architecture, preset=preset) if resume else None
    packed = _open(architecture, data)
    start = begun_with(run, out) if init_from is None else _start(architecture, init_from)
    model, train = _configure(architecture, packed, preset, config, given, start=start, run=run)
    run_training(model, packed, train, ranks, out=out, start=start, dry_run=dry_run, quiet=quiet)


def _open(architecture: Architecture, data: Path) -> Any:
    if architecture in ("gpt", "bert"):
        from textpipe.data.packing import PackedData

        return PackedData(data, verify=True)
    from textpipe.data.pairs import PackedPairs

    return PackedPairs(data, verify=True)


def _start(architecture: Architecture, path: Path) -> Start:
    from textpipe.errors import ConfigError
    from textpipe.training.run_config import architecture_of
    from textpipe.training.starting import Start

    found = Start.open(path)
    if architecture_of(found.shape) != architecture:
        raise ConfigError(f"the weights of a {architecture_of(found.shape)}", where=path, allowed=f"a {architecture}")
    return found


def _configure(
    architecture: Architecture,
    packed: Any,
    preset: str | None,
    path: Path | None,
    given: dict[str, Any],
    *,
    start: Start | StartIdentity | None,
    run: RunConfig | None,
) -> tuple[ModelConfig, TrainConfig]:
    """Preset, then file, then flags; the shape is that of the weights to begin with, where there are any.

    In the place of preset and weights stand the settings of the run that is gone on with.
    """
    from textpipe.config import load_toml
    from textpipe.training.starting import Start

    shape = ARCHITECTURES[architecture]
    model_keys, train_keys = preset_keys(preset or "tiny", architecture)
    if run is not None:
        model_keys, train_keys = run.model.model_dump(), run.train.model_dump()
    elif isinstance(start, Start):
        model_keys = start.shape.model_dump()
    if path is not None:
        file = load_toml(path, config_file(architecture)).model_dump(exclude_unset=True)
        model_keys |= file.get("model", {})
        train_keys |= file.get("train", {})
    model_keys |= {name: value for name, value in given.items() if name in shape.model_fields}
    train_keys |= {name: value for name, value in given.items() if name not in shape.model_fields}
    sizes = {"vocab_size": packed.vocab_size}
    if "source_vocab_size" in shape.model_fields:
        sizes["source_vocab_size"] = packed.source_vocab_size
    return shape(**{**sizes, **model_keys}), TrainConfig(**train_keys)
