"""``textpipe train unsupervised``: two languages learn to translate each other from corpora that nobody has aligned.

Settings, a TOML file and flags, each over the one before, make the run's configuration; the shape is a Transformer's
preset.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from textpipe.cli.config_options import options_of, with_options
from textpipe.cli.training_run import RESUME, resumed, run_training
from textpipe.errors import ConfigError
from textpipe.nn.shapes import BilingualConfig
from textpipe.training.distributed.ranks import joined
from textpipe.training.presets import PRESETS, preset_keys
from textpipe.training.run_config import TrainConfig, config_file, keys_not_read_by

if TYPE_CHECKING:
    from textpipe.data.two_corpora import TwoCorpora
    from textpipe.training.run_config import RunConfig

_SIZES = ", ".join(PRESETS["transformer"])
_ON_MANY = ("sharding", "tensor_parallel", "pipeline_parallel")
_FIXED = [
    ("first", Path, typer.Argument(help="Folder that pack wrote of one language, a document a sentence.")),
    ("second", Path, typer.Argument(help="That of the other language, packed with the same tokenizer.")),
    ("languages", str | None, typer.Option(None, "--languages", help="Their names, as ko,en. (those of the folders)")),
    ("out", Path, typer.Option(Path("run"), "--out", "-o", help="Folder of the run; the same command goes on.")),
    ("preset", str | None, typer.Option(None, "--preset", help=f"Ready-made settings: {_SIZES}. (tiny)")),
    ("config", Path | None, typer.Option(None, "--config", help="TOML with tables model and train; over the preset.")),
    ("resume", bool, RESUME),
    ("dry_run", bool, typer.Option(False, "--dry-run", help="Say sizes, memory and time; train nothing.")),
    ("quiet", bool, typer.Option(False, "--quiet", "-q", help="No progress on standard error.")),
]
_KIND = inspect.Parameter.KEYWORD_ONLY
_OPTIONS = [
    *(inspect.Parameter(name, _KIND, default=option, annotation=kind) for name, kind, option in _FIXED),
    *options_of(BilingualConfig, "Model", left_out=("vocab_size", "source_vocab_size", "languages")),
    *options_of(TrainConfig, "Training", left_out={*keys_not_read_by("bilingual"), *_ON_MANY}),
]


@with_options(_OPTIONS)
def command(**given: Any) -> None:
    """Train one model that translates between two languages, from a corpus of each and no translation.

    \b
    textpipe pack ko.txt --tokenizer vocab --out ko
    textpipe pack en.txt --tokenizer vocab --out en
    textpipe train unsupervised ko en --out run
    textpipe translate run --target-language en --text "바다는 넓다"

    It learns to undo noise in either language and, from what it makes of a sentence in the other one, to write it
    again. The vocabulary is trained on both corpora: tokens that both have are where their meanings meet. A good round
    trip there and back proves no translation right: score some with textpipe translate --reference.

    Ctrl-C saves and leaves; the same command again goes on from there, exactly, as does --resume without the settings.
    """
    known = {name: given.pop(name) for name, _, _ in _FIXED}
    chosen = {name: value for name, value in given.items() if value not in (None, [])}
    with joined() as ranks:
        out, resume, dry_run, quiet = (known.pop(name) for name in ("out", "resume", "dry_run", "quiet"))
        run = resumed(out, "bilingual", preset=known["preset"]) if resume else None
        model, data, train = _configured(chosen, run=run, **known)
        run_training(model, data, train, ranks, out=out, start=None, dry_run=dry_run, quiet=quiet)


def _configured(
    given: dict[str, Any],
    *,
    first: Path,
    second: Path,
    languages: str | None,
    preset: str | None,
    config: Path | None,
    run: RunConfig | None,
) -> tuple[BilingualConfig, TwoCorpora, TrainConfig]:
    from textpipe.config import load_toml
    from textpipe.data.packing import PackedData
    from textpipe.data.two_corpora import TwoCorpora

    model_keys, train_keys = preset_keys(preset or "tiny", "transformer")
    train_keys = {name: value for name, value in train_keys.items() if name not in keys_not_read_by("bilingual")}
    names = _names(languages, first, second)
    if run is not None:
        model_keys, train_keys = run.model.model_dump(), run.train.model_dump()
        names = tuple(model_keys["languages"]) if languages is None else names
    if config is not None:
        file = load_toml(config, config_file("bilingual")).model_dump(exclude_unset=True)
        model_keys |= file.get("model", {})
        train_keys |= file.get("train", {})
    model_keys |= {name: value for name, value in given.items() if name in BilingualConfig.model_fields}
    train_keys |= {name: value for name, value in given.items() if name not in BilingualConfig.model_fields}
    data = TwoCorpora(PackedData(first, verify=True), PackedData(second, verify=True), names)
    model_keys |= {"vocab_size": data.vocab_size, "languages": names}
    return BilingualConfig(**model_keys), data, TrainConfig(**train_keys)


def _names(languages: str | None, first: Path, second: Path) -> tuple[str, str]:
    if languages is None:
        return first.resolve().name, second.resolve().name
    parts = [name.strip() for name in languages.split(",")]
    if len(parts) != 2 or not all(parts):
        raise ConfigError(f"{languages!r} are not two names", where="--languages", allowed="two, as ko,en")
    return parts[0], parts[1]
