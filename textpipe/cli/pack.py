"""``textpipe pack``: turns flags into a :class:`~textpipe.data.PackConfig` and calls :func:`textpipe.data.pack`."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from textpipe.cli.tokenizer_option import SPECIAL_IN_CORPUS, SpecialPolicy

if TYPE_CHECKING:
    from textpipe.sources import TextUnit


def command(
    inputs: list[Path] = typer.Argument(help="Documents: what clean wrote, JSONL or text files, or folders of them."),
    *,
    tokenizer: Path = typer.Option(..., "--tokenizer", "-t", help="tokenizer.json, or the folder train-vocab wrote."),
    out: Path = typer.Option(Path("shards"), "--out", "-o", help="Folder to make."),
    val: list[Path] = typer.Option([], "--val", help="Held-out documents of your own; may be repeated."),
    val_fraction: float = typer.Option(0.05, "--val-fraction", help="Share of documents held out, chosen by their id."),
    seed: int = typer.Option(0, "--seed", help="Chooses which documents are held out, and what dropout draws."),
    eos: str = typer.Option("<|endoftext|>", "--eos", help="Special token put after each document."),
    special: SpecialPolicy = SPECIAL_IN_CORPUS,
    text_unit: str = typer.Option("line", "--text-unit", help="A document of a text file: line, paragraph or file."),
    threads: int | None = typer.Option(None, "--threads", help="Threads that encode; all cores when absent."),
    quiet: bool = typer.Option(False, "--quiet", "-q", help="No progress on standard error."),
) -> None:
    """Encode documents into token shards, split into train and val, for textpipe train.

    \b
    textpipe pack corpus --tokenizer vocab --out shards
    textpipe pack train.txt --val held-out.txt --tokenizer vocab/tokenizer.json --out shards

    A document is in train or in val by a hash of its id, so adding documents moves none.
    """
    from textpipe.cli.progress import Progress
    from textpipe.data.packing import PackConfig, finished, pack
    from textpipe.sources import iter_documents
    from textpipe.tokenizer import Tokenizer

    unit = _text_unit(text_unit)
    fraction = 0.0 if val else val_fraction
    config = PackConfig(val_fraction=fraction, seed=seed, eos=eos, special=special, threads=threads)
    source = _fingerprint([inputs, val], unit)
    loaded = Tokenizer.from_file(str(tokenizer / "tokenizer.json" if tokenizer.is_dir() else tokenizer))
    with Progress(quiet=quiet) as progress:
        data = finished(out, loaded, config, source=source)
        if data is not None:
            progress.note(f"{out} is there already, made from the same documents")
        else:
            data = pack(
                iter_documents(inputs, text_unit=unit),
                loaded,
                out,
                config,
                val_documents=iter_documents(val, text_unit=unit) if val else None,
                source=source,
                progress=progress,
            )
    for name in ("train", "val"):
        row = data.counts[name]
        print(f"{name}\t{row['documents']:,} documents\t{row['tokens']:,} tokens\t{row['bytes']:,} bytes")
        if row["eos_in_text"]:
            print(f"textpipe: {row['eos_in_text']} times {eos} stood inside a text of {name}", file=sys.stderr)


def _text_unit(name: str) -> TextUnit:
    from typing import get_args

    from textpipe.errors import ConfigError, did_you_mean
    from textpipe.sources import TextUnit

    for unit in get_args(TextUnit):
        if unit == name:
            return unit  # type: ignore[no-any-return]
    raise ConfigError(f"no text unit {name!r}", where="--text-unit", hint=did_you_mean(name, get_args(TextUnit)))


def _fingerprint(groups: list[list[Path]], unit: str) -> str:
    """What the documents are, by the bytes of their files: the same command on changed files is another one."""
    from textpipe.files import sha256_file
    from textpipe.sources import expand

    digests = [[sha256_file(path) for path in expand(group)] if group else [] for group in groups]
    return hashlib.sha256(repr((digests, unit)).encode()).hexdigest()
