"""``textpipe pack-pairs``: turns flags into pairs and calls :func:`textpipe.data.pairs.pack_pairs`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from textpipe.cli.tokenizer_option import SEED, SPECIAL_IN_CORPUS, SpecialPolicy, load
from textpipe.errors import InputError

if TYPE_CHECKING:
    from textpipe.data.pairs import Pair


def command(
    inputs: list[Path] = typer.Argument(
        None, help="TSV with two columns, or JSONL with source and target (.gz, .zst)."
    ),
    *,
    source: Path | None = typer.Option(None, "--source", help="Instead: a text file, a source a line …"),
    target: Path | None = typer.Option(None, "--target", help="… and one with their targets, line by line."),
    val: list[Path] = typer.Option([], "--val", help="Held-out pairs: a TSV or JSONL; may be repeated."),
    val_source: Path | None = typer.Option(None, "--val-source", help="Instead: held-out sources, a line each …"),
    val_target: Path | None = typer.Option(None, "--val-target", help="… and their targets."),
    columns: str = typer.Option("1,2", "--columns", help="Columns of source and target; 2,1 turns the direction."),
    tokenizer: Path = typer.Option(
        ..., "--tokenizer", "-t", help="Of the target, and of the source unless it has one."
    ),
    source_tokenizer: Path | None = typer.Option(None, "--source-tokenizer", help="The source's own vocabulary."),
    eos: str = typer.Option("<|endoftext|>", "--eos", help="Special token put after each text."),
    special: SpecialPolicy = SPECIAL_IN_CORPUS,
    seed: int = SEED,
    out: Path = typer.Option(Path("pairs"), "--out", "-o", help="Folder to make."),
    threads: int | None = typer.Option(None, "--threads", help="Threads that encode; all cores when absent."),
) -> None:
    """Encode parallel text into aligned token shards, for textpipe train transformer and seq2seq.

    \b
    textpipe pack-pairs train.tsv --val dev.tsv --tokenizer vocab --out pairs
    textpipe pack-pairs --source train.ko --target train.en --val-source dev.ko --val-target dev.en -t vocab
    """
    from textpipe.data.pairs import pack_pairs

    places = _columns(columns)
    made = pack_pairs(
        _pairs(inputs or [], source, target, places, "--source and --target"),
        _pairs(val, val_source, val_target, places, "--val, or --val-source and --val-target"),
        load(tokenizer),
        out,
        source_tokenizer=None if source_tokenizer is None else load(source_tokenizer),
        eos=eos,
        special=special,
        seed=seed,
        threads=threads,
    )
    for name in ("train", "val"):
        row = made.counts[name]
        tokens = f"{row['source_tokens']:,} source tokens\t{row['target_tokens']:,} target tokens"
        print(f"{name}\t{row['pairs']:,} pairs\t{tokens}")


def _columns(text: str) -> tuple[int, int]:
    parts = text.split(",")
    if len(parts) != 2 or not all(part.strip().isdigit() and int(part) > 0 for part in parts) or parts[0] == parts[1]:
        raise InputError(f"{text!r} are not two columns", where="--columns", allowed="two numbers from 1, as 1,2")
    return int(parts[0]) - 1, int(parts[1]) - 1


def _pairs(
    files: list[Path], source: Path | None, target: Path | None, columns: tuple[int, int], names: str
) -> Iterator[Pair]:
    from textpipe.data.parallel_text import iter_aligned, iter_pairs

    if source is not None and target is not None and not files:
        return iter_aligned(source, target)
    if files and source is None and target is None:
        return iter_pairs(files, columns=columns)
    raise InputError("pairs are a file of pairs, or two aligned files", hint=f"give the one or the other: {names}")
