"""``textpipe config init``: a file with every key explained, to edit and hand to ``train`` or ``train-vocab``."""

from __future__ import annotations

from pathlib import Path

import typer

from textpipe.cli.new_files import refuse_existing
from textpipe.errors import ConfigError, did_you_mean

app = typer.Typer(help="Configuration files.", no_args_is_help=True, rich_markup_mode="rich")


@app.callback()
def _verbs() -> None:
    """Configuration files."""


@app.command("init")
def init(
    what: str = typer.Argument("gpt", help="gpt, bert, transformer or seq2seq, or vocab for train-vocab."),
    *,
    preset: str | None = typer.Option(
        None, "--preset", help="Settings to begin with; tiny when absent, of vocab default."
    ),
    out: Path | None = typer.Option(None, "--out", "-o", help="File to write; it must not exist. Else it is printed."),
) -> None:
    """Write every key of a training with what it means, as the preset has it.

    \b
    textpipe config init gpt --preset nano --out mine.toml
    textpipe train gpt shards --config mine.toml

    \b
    textpipe config init vocab --preset bert --out vocab.toml
    textpipe train-vocab corpus --config vocab.toml
    """
    from textpipe.files import write_text

    if what == "vocab":
        from textpipe.vocabulary.config import commented_preset

        text, use = commented_preset(preset or "default"), "train-vocab INPUTS"
    else:
        text, use = _of_model(what, preset or "tiny"), f"train {what} DATA"
    if out is None:
        print(text, end="")
        return
    refuse_existing(out)
    write_text(out, text)
    print(f"{out}: edit it, then textpipe {use} --config {out}")


def _of_model(architecture: str, preset: str) -> str:
    from textpipe.training.presets import PRESETS, commented_toml
    from textpipe.training.run_config import Architecture

    names: dict[str, Architecture] = {known: known for known in PRESETS}
    if architecture not in names:
        raise ConfigError(f"no architecture {architecture!r}", hint=did_you_mean(architecture, [*names, "vocab"]))
    return commented_toml(names[architecture], preset)
