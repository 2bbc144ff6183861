"""``textpipe train finetune``: an encoder learns from labelled examples.

Settings for fine-tuning, a TOML file and flags, each over the one before, make the run's configuration; the shape is
that of the weights to begin with, and the labels are those of the examples.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from textpipe.cli.config_options import options_of, with_options
from textpipe.cli.training_run import RESUME, begun_with, resumed, run_training
from textpipe.errors import ConfigError
from textpipe.nn.shapes import EncoderConfig
from textpipe.training.distributed.ranks import joined
from textpipe.training.run_config import (
    ARCHITECTURES,
    Architecture,
    ModelConfig,
    TrainConfig,
    config_file,
    keys_not_read_by,
)

if TYPE_CHECKING:
    from textpipe.tasks.fine_tuning import LabelledData
    from textpipe.tokenizer import Tokenizer
    from textpipe.training.run_config import StartIdentity
    from textpipe.training.starting import Start

_ARCHITECTURE_OF: dict[str, Architecture] = {
    "label": "classifier",
    "score": "regressor",
    "tags": "tagger",
    "answer": "span-finder",
}
_FILES = [
    ("train", list[Path], typer.Argument(help="Examples to learn from: TSV, CSV, JSONL, JSON, CoNLL.")),
    ("val", list[Path], typer.Option(..., "--val", help="Held-out examples; may be repeated.")),
    ("format_", str | None, typer.Option(None, "--format", help="nsmc, klue-nli, klue-sts, klue-ner, kornli, korsts, "
     "conll, squad or korquad: files as they are published.")),
    ("task", str | None, typer.Option(None, "--task", help="What is told: label, score, tags or answer; of --format.")),
    ("text_column", str | None, typer.Option(None, "--text-column", help="Column of the text. (text)")),
    ("second_column", str | None, typer.Option(None, "--second-column", help="Column of the second text of a pair.")),
    ("label_column", str | None, typer.Option(None, "--label-column", help="Column of the label or score. (label)")),
]  # fmt: skip
_FIXED = [
    *_FILES,
    ("init_from", Path | None, typer.Option(None, "--init-from", help="Begin with the encoder, and the tokenizer, of a "
     "run or a folder of transformers.")),
    ("tokenizer", Path | None, typer.Option(None, "--tokenizer", help="Without --init-from: the vocabulary.")),
    ("out", Path, typer.Option(Path("run"), "--out", "-o", help="Folder of the run; the same command goes on.")),
    ("preset", str | None, typer.Option(None, "--preset", help="Without --init-from: the shape, as of train bert.")),
    ("config", Path | None, typer.Option(None, "--config", help="TOML with tables model and train.")),
    ("epochs", float | None, typer.Option(None, "--epochs", min=0.01, help="Times every example is read. (3)")),
    ("resume", bool, RESUME),
    ("dry_run", bool, typer.Option(False, "--dry-run", help="Say sizes, memory and time; train nothing.")),
    ("quiet", bool, typer.Option(False, "--quiet", "-q", help="No progress on standard error.")),
]  # fmt: skip
_KIND = inspect.Parameter.KEYWORD_ONLY
_OPTIONS = [
    *(inspect.Parameter(name, _KIND, default=option, annotation=kind) for name, kind, option in _FIXED),
    *options_of(EncoderConfig, "Model", left_out=("vocab_size",)),
    *options_of(TrainConfig, "Training", left_out=keys_not_read_by("classifier")),
]


@with_options(_OPTIONS)
def command(**given: Any) -> None:
    """Fine-tune an encoder on labelled examples: labels, scores, tags or answers.

    \b
    textpipe train finetune train.tsv --val dev.tsv --task label --init-from bert --out run
    textpipe train finetune kornli.tsv --val klue-nli.json --format klue-nli --init-from bert --out run
    textpipe train finetune train.conll --val dev.conll --format conll --tokenizer vocab --out run

    The measures of the held-out examples decide which checkpoint is the best. textpipe predict uses it, textpipe export
    makes a folder of transformers of it. Ctrl-C saves and leaves; the same command again goes on from there, as does
    --resume without the settings.
    """
    known = {name: given.pop(name) for name, _, _ in _FIXED}
    chosen = {name: value for name, value in given.items() if value not in (None, [])}
    with joined() as ranks:
        out, resume, dry_run, quiet = (known.pop(name) for name in ("out", "resume", "dry_run", "quiet"))
        model, data, train, start = _configured(chosen, out if resume else None, **known)
        run_training(model, data, train, ranks, out=out, start=start, dry_run=dry_run, quiet=quiet)


def _configured(
    given: dict[str, Any],
    gone_on_with: Path | None,
    *,
    train: list[Path],
    val: list[Path],
    format_: str | None,
    task: str | None,
    text_column: str | None,
    second_column: str | None,
    label_column: str | None,
    init_from: Path | None,
    tokenizer: Path | None,
    preset: str | None,
    config: Path | None,
    epochs: float | None,
) -> tuple[ModelConfig, LabelledData, TrainConfig, Start | StartIdentity | None]:
    from textpipe.cli.tokenizer_option import load
    from textpipe.config import load_toml
    from textpipe.data.example_files import format_named
    from textpipe.errors import require

    found = format_named(format_, task, text=text_column, second=second_column, label=label_column)
    architecture = _ARCHITECTURE_OF[found.task]
    file: dict[str, Any] = {}
    if config is not None:
        file = load_toml(config, config_file(architecture)).model_dump(exclude_unset=True)
    run = None if gone_on_with is None else resumed(gone_on_with, architecture, preset=preset)
    require("torch", extra="train")
    from textpipe.tasks.fine_tuning import LabelledData

    start: Start | StartIdentity | None
    model_keys: dict[str, Any]
    if run is not None and gone_on_with is not None and init_from is None and tokenizer is None:
        start, model_keys, reader = begun_with(run, gone_on_with), {}, load(gone_on_with / "tokenizer.json")
    else:
        start, model_keys, reader = _begun(init_from, tokenizer, preset)
    data = LabelledData(train, val, found, reader)
    kind = ARCHITECTURES[architecture]
    model_keys |= {} if run is None else run.model.model_dump()
    model_keys |= {"vocab_size": data.vocab_size, **data.shape_facts(), **file.get("model", {})}
    model_keys |= {name: value for name, value in given.items() if name in kind.model_fields}
    model = kind(**model_keys)
    keys = file.get("train", {}) | {name: value for name, value in given.items() if name not in kind.model_fields}
    if epochs is not None and "steps" in keys:
        raise ConfigError("--epochs with --steps", hint="each says how long to train: leave one of them out")
    if run is not None:
        own = run.train.model_dump(exclude={"steps"} if epochs is not None else None)
        keys = own | keys
    return model, data, _training(model, data, keys, epochs, is_begun=start is not None), start


def _begun(
    init_from: Path | None, tokenizer: Path | None, preset: str | None
) -> tuple[Start | None, dict[str, Any], Tokenizer]:
    """The weights to begin with, the keys of the encoder's shape, and its tokenizer."""
    from textpipe.cli.tokenizer_option import load
    from textpipe.training.presets import preset_keys
    from textpipe.training.starting import Start

    if init_from is None:
        if tokenizer is None:
            raise ConfigError("neither weights nor a vocabulary to begin with", allowed="--init-from, or --tokenizer")
        return None, {**preset_keys(preset or "tiny", "bert")[0]}, load(tokenizer)
    for flag, value in (("--tokenizer", tokenizer), ("--preset", preset)):
        if value is not None:
            raise ConfigError(f"{flag} with --init-from", hint="the weights have theirs: leave it out")
    start = Start.open(init_from)
    if not isinstance(start.shape, EncoderConfig):
        raise ConfigError("these are no weights of an encoder", where=init_from, allowed="a bert")
    keys = EncoderConfig.model_fields.keys()
    shape = {name: value for name, value in start.shape.model_dump().items() if name in keys}
    return start, shape, start.tokenizers()[1]


def _training(
    model: Any, data: LabelledData, given: dict[str, Any], epochs: float | None, *, is_begun: bool
) -> TrainConfig:
    """Settings of Devlin et al. 2018, the learning rate in inverse proportion to the width, and what was given."""
    keys: dict[str, Any] = {"batch_size": 32, "schedule": "linear", "final_share": 0.0, "beta2": 0.999}
    keys |= {"weight_decay": 0.01, "learning_rate": (3e-5 * 768 if is_begun else 1e-3 * 128) / model.width} | given
    batch_size = max(1, keys["batch_size"])
    each = -(-len(data.read(model).train) // batch_size)
    steps = keys.setdefault("steps", max(1, round((epochs or 3) * each)))
    often = -(-min(each, steps) // 2)
    rhythm = dict.fromkeys(("validate_every", "checkpoint_every", "sample_every"), often)
    return TrainConfig(**{"warmup_steps": steps // 10, "keep_checkpoints": 1, **rhythm, **keys})
