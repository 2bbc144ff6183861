"""``textpipe config init``: a configuration file with every key explained, to edit and hand to ``textpipe train``."""

from __future__ import annotations

from pathlib import Path

import typer

from textpipe.errors import ConfigError, StateError, did_you_mean

app = typer.Typer(help="Configuration files.", no_args_is_help=True, rich_markup_mode="rich")


@app.callback()
def _verbs() -> None:
    """Configuration files."""


@app.command("init")
def init(
    architecture: str = typer.Argument("gpt", help="gpt, bert, transformer or seq2seq."),
    *,
    preset: str = typer.Option("tiny", "--preset", help="Settings to begin with."),
    out: Path | None = typer.Option(None, "--out", "-o", help="File to write; it must not exist. Else it is printed."),
) -> None:
    """Write every key of a training with what it means, as the preset has it.

    \b
    textpipe config init gpt --preset nano --out mine.toml
    textpipe train gpt shards --config mine.toml
    """
    from textpipe.files import write_text
    from textpipe.training.presets import commented_toml
    from textpipe.training.run_config import ARCHITECTURES, Architecture

    names: dict[str, Architecture] = {known: known for known in ARCHITECTURES}
    if architecture not in names:
        raise ConfigError(f"no architecture {architecture!r}", hint=did_you_mean(architecture, ARCHITECTURES))
    name = names[architecture]
    text = commented_toml(name, preset)
    if out is None:
        print(text, end="")
        return
    if out.exists():
        raise StateError("there is a file already", where=out, hint="name another, or remove it")
    write_text(out, text)
    print(f"{out}: edit it, then textpipe train {name} DATA --config {out}")
