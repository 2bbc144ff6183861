"""``textpipe pack-pairs``: turns flags into pairs and calls :func:`textpipe.data.pairs.pack_pairs`."""

from __future__ import annotations

from pathlib import Path

import typer

from textpipe.cli.pair_files import COLUMNS, PAIR_FILES, columns_of, pairs_of
from textpipe.cli.tokenizer_option import SEED, SPECIAL_IN_CORPUS, SpecialPolicy, load


def command(
    inputs: list[Path] = PAIR_FILES,
    *,
    source: Path | None = typer.Option(None, "--source", help="Instead: a text file, a source a line …"),
    target: Path | None = typer.Option(None, "--target", help="… and one with their targets, line by line."),
    val: list[Path] = typer.Option([], "--val", help="Held-out pairs: a TSV or JSONL; may be repeated."),
    val_source: Path | None = typer.Option(None, "--val-source", help="Instead: held-out sources, a line each …"),
    val_target: Path | None = typer.Option(None, "--val-target", help="… and their targets."),
    columns: str = COLUMNS,
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

    places = columns_of(columns)
    made = pack_pairs(
        pairs_of(inputs or [], source, target, places, "--source and --target"),
        pairs_of(val, val_source, val_target, places, "--val, or --val-source and --val-target"),
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
