"""``textpipe plan ARCHITECTURE``: what a training takes on a cluster, by arithmetic alone.

The flags are those of ``textpipe train``, and a cluster's: preset, TOML file and flags, each over the one before.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from textpipe.cli.config_options import options_of, with_options
from textpipe.cli.new_files import refuse_existing
from textpipe.planning.cluster import ClusterConfig
from textpipe.planning.memory import PRECISIONS
from textpipe.training.presets import PRESETS, preset_keys
from textpipe.training.run_config import ARCHITECTURES, Architecture, TrainConfig, config_file, keys_not_read_by

if TYPE_CHECKING:
    from textpipe.planning.plan import Plan

app = typer.Typer(
    help="Plan a training (recurrent models are not planned).", no_args_is_help=True, rich_markup_mode="rich"
)

_PLANNED: tuple[Architecture, ...] = ("gpt", "bert", "transformer")
# what a plan does not depend on
_NOT_READ = frozenset(TrainConfig.model_fields) - {
    *("steps", "batch_size", "batch_tokens", "mask_share", "optimizer", "average_decay", "dtype")
}
_GROUPS = {  # the SVG's four colours
    "weights": ("weights", "running mean", "16-bit copies", "gathered"),
    "gradients": ("gradients", "head"),
    "optimizer": ("optimizer",),
    "activations": ("activations", "workspace"),
}


@app.callback()
def _models() -> None:
    """Plan a training; recurrent models are not planned."""


def _command_for(architecture: Architecture) -> Callable[..., None]:
    shape = ARCHITECTURES[architecture]
    fixed: list[tuple[str, Any, Any]] = [
        (
            "tokenizer",
            Path | None,
            typer.Option(None, "--tokenizer", "-t", help="A tokenizer.json or its folder: the size of the vocabulary."),
        ),
        ("preset", str, typer.Option("base", "--preset", help=f"Settings: {', '.join(PRESETS[architecture])}.")),
        (
            "config",
            Path | None,
            typer.Option(None, "--config", help="TOML with tables model, train and cluster; over the preset."),
        ),
        ("tokens", float | None, typer.Option(None, "--tokens", help="Tokens to train on, 3e11 say; else the steps.")),
        (
            "precision",
            str | None,
            typer.Option(None, "--precision", help=f"Types of the states: {', '.join(PRECISIONS)}; as train does."),
        ),
        ("top", int, typer.Option(5, "--top", min=1, help="Layouts shown.")),
        ("as_json", bool, typer.Option(False, "--json", help="Print JSON.")),
        (
            "svg",
            Path | None,
            typer.Option(None, "--svg", help="Write a chart of the layouts' memory here; it must not exist."),
        ),
    ]

    def command(**given: Any) -> None:
        known = {name: given.pop(name) for name, _, _ in fixed}
        _plan(architecture, {name: value for name, value in given.items() if value is not None}, **known)

    kinds = inspect.Parameter.KEYWORD_ONLY
    parameters = [inspect.Parameter(name, kinds, default=option, annotation=kind) for name, kind, option in fixed]
    parameters += options_of(ClusterConfig, "Cluster") + options_of(shape, "Model")
    parameters += options_of(TrainConfig, "Training", left_out=_NOT_READ | keys_not_read_by(architecture))
    command.__doc__ = f"""Say what training a {architecture} takes: memory of a GPU by component, days, cost, layouts.

    \b
    textpipe plan {architecture} --preset base --tokenizer vocab --gpus 8 --gpu h100-80
    textpipe plan {architecture} --config mine.toml --gpus 64 --tokens 3e11 --json

    Nothing is built or measured. A run that fits nowhere names the smallest cluster that holds it.
    """
    return with_options(parameters)(command)


for _name in _PLANNED:
    app.command(_name)(_command_for(_name))


def _plan(
    architecture: Architecture,
    given: dict[str, Any],
    *,
    tokenizer: Path | None,
    preset: str,
    config: Path | None,
    tokens: float | None,
    precision: str | None,
    top: int,
    as_json: bool,
    svg: Path | None,
) -> None:
    from textpipe.errors import ConfigError, did_you_mean
    from textpipe.files import write_text
    from textpipe.planning.plan import make_plan
    from textpipe.planning.text import plan_text

    if precision is not None and precision not in PRECISIONS:
        raise ConfigError(f"no precision {precision!r}", where="--precision", hint=did_you_mean(precision, PRECISIONS))
    if tokens is not None and not 1 <= tokens <= 1e18:
        raise ConfigError(f"{tokens:g} tokens", where="--tokens", allowed="1 to 1e18")
    refuse_existing(svg)
    model, train, cluster = _configure(architecture, preset, config, tokenizer, given)
    plan = make_plan(model, train, cluster, precision=precision, tokens=None if tokens is None else int(tokens))
    if svg is not None:
        write_text(svg, chart(plan, most=top))
    if as_json:
        print(json.dumps(plan.to_dict(most=top), ensure_ascii=False, indent=2))
    else:
        print(plan_text(plan, most=top))


def _configure(
    architecture: Architecture, preset: str, path: Path | None, tokenizer: Path | None, given: dict[str, Any]
) -> tuple[Any, TrainConfig, ClusterConfig]:
    """Preset, then file, then flags."""
    from textpipe.config import load_toml
    from textpipe.errors import ConfigError

    shape = ARCHITECTURES[architecture]
    model_keys, train_keys = preset_keys(preset, architecture)
    tables: dict[str, dict[str, Any]] = {"model": model_keys, "train": train_keys, "cluster": {}}
    if path is not None:
        file = load_toml(path, config_file(architecture, cluster=ClusterConfig)).model_dump(exclude_unset=True)
        for name, keys in file.items():
            tables[name] |= keys
    for name, kind in (("model", shape), ("train", TrainConfig), ("cluster", ClusterConfig)):
        tables[name] |= {key: value for key, value in given.items() if key in kind.model_fields}
    if tokenizer is not None:
        from textpipe.cli.tokenizer_option import load

        tables["model"]["vocab_size"] = load(tokenizer).get_vocab_size()
    if "vocab_size" not in tables["model"]:
        raise ConfigError(
            "the size of the vocabulary is not known",
            where="vocab_size",
            hint="give the tokenizer with --tokenizer vocab, or --vocab-size 32000",
        )
    train = tables["train"]
    train["warmup_steps"] = min(train.get("warmup_steps", 0), train.get("steps", TrainConfig().steps))
    return shape(**tables["model"]), TrainConfig(**train), ClusterConfig(**tables["cluster"])


def chart(plan: Plan, *, most: int) -> str:
    """The layouts' memory as an SVG file."""
    from textpipe.planning.cluster import GIB
    from textpipe.report.charts import stacked_chart, standalone

    rows = []
    for planned in plan.layouts[:most]:
        layout, sizes = planned.layout, {part.name: part.num_bytes for part in planned.memory.components}
        values = [sum(sizes.get(name, 0.0) for name in names) / GIB for names in _GROUPS.values()]
        name = f"{layout.data} × {layout.tensor} × {layout.pipeline} {layout.sharding}"
        name += ", recomputing" if layout.recompute else ""
        rows.append((name, values, f"{planned.memory.total_bytes / GIB:.1f} GiB, {plan.days(planned):.3g} days"))
    limit = ("usable memory of a GPU, GiB", plan.cluster.device_bytes / GIB)
    return standalone(
        stacked_chart(rows, names=list(_GROUPS), label="Memory of the fullest GPU by layout", limit=limit)
    )
