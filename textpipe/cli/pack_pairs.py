"""``textpipe pack-pairs``: turns flags into pairs and calls :func:`textpipe.data.pairs.pack_pairs`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from textpipe.cli.pair_files import COLUMNS, PAIR_FILES, columns_of, pairs_of
from textpipe.cli.tokenizer_option import SEED, SPECIAL_IN_CORPUS, SpecialPolicy, load
from textpipe.errors import ConfigError, InputError

if TYPE_CHECKING:
    from textpipe.formats.translation_folders import Languages


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
        ...,
        "--tokenizer",
        "-t",
        help="Of the target, and of the source unless it has one; or a folder of transformers "
        "whose model is to be trained further.",
    ),
    source_tokenizer: Path | None = typer.Option(None, "--source-tokenizer", help="The source's own vocabulary."),
    source_language: str | None = typer.Option(
        None, "--source-language", help="Of such a model of many languages: that of the sources …"
    ),
    target_language: str | None = typer.Option(None, "--target-language", help="… and that of the targets."),
    eos: str | None = typer.Option(
        None, "--eos", help="Special token put after each text. (<|endoftext|>, or the model's)"
    ),
    history: int | None = typer.Option(
        None,
        "--history",
        min=0,
        help="Files are dialogues: a message a line, an empty line between two (or JSONL with turns). Each message is "
        "a source, behind up to so many turns before it, and what follows is its target.",
    ),
    special: SpecialPolicy = SPECIAL_IN_CORPUS,
    seed: int = SEED,
    out: Path = typer.Option(Path("pairs"), "--out", "-o", help="Folder to make."),
    threads: int | None = typer.Option(None, "--threads", help="Threads that encode; all cores when absent."),
) -> None:
    """Encode parallel text into aligned token shards, for textpipe train transformer and seq2seq.

    \b
    textpipe pack-pairs train.tsv --val dev.tsv --tokenizer vocab --out pairs
    textpipe pack-pairs --source train.ko --target train.en --val-source dev.ko --val-target dev.en -t vocab
    textpipe pack-pairs train.tsv --val dev.tsv -t opus-mt-ko-en     (then: textpipe train … --init-from opus-mt-ko-en)
    textpipe pack-pairs talks.txt --val other.txt --history 2 -t vocab      (then: textpipe train …, textpipe chat)
    """
    from textpipe.data.dialogues import dialogue_pairs, iter_dialogues
    from textpipe.data.pairs import PairFrame, pack_pairs

    places = columns_of(columns)
    around = _tokenizers(tokenizer, source_tokenizer, eos, (source_language, target_language))
    train: Iterator[Any]
    held_out: Iterator[Any]
    if history is None:
        train = pairs_of(inputs or [], source, target, places, "--source and --target")
        held_out = pairs_of(val, val_source, val_target, places, "--val, or --val-source and --val-target")
    else:
        _refuse_pairs(inputs, val, (source, target, val_source, val_target), places)
        train, held_out = (dialogue_pairs(iter_dialogues(files), history=history) for files in (inputs, val))
        around["frame"] = dataclasses.replace(around.get("frame") or PairFrame(), history=history)
    made = pack_pairs(
        train,
        held_out,
        out=out,
        **around,
        special=special,
        seed=seed,
        threads=threads,
    )
    for name in ("train", "val"):
        row = made.counts[name]
        tokens = f"{row['source_tokens']:,} source tokens\t{row['target_tokens']:,} target tokens"
        print(f"{name}\t{row['pairs']:,} pairs\t{tokens}")


def _refuse_pairs(
    inputs: list[Path] | None, val: list[Path], aligned: tuple[Path | None, ...], columns: tuple[int, int]
) -> None:
    """Dialogues are whole files, and have no sides."""
    if any(aligned) or columns != (0, 1):
        raise ConfigError("--history with two sides", hint="give files of dialogues, and --val with held-out ones")
    if not inputs or not val:
        raise InputError("no dialogues" if not inputs else "no held-out dialogues", allowed="files, and --val")


def _tokenizers(path: Path, source: Path | None, eos: str | None, languages: Languages) -> dict[str, Any]:
    """The tokenizers of both sides and what they put around texts, as a vocabulary or a model of others has them."""
    from textpipe.interchange.importing import ModelFolder, is_model_folder
    from textpipe.nn.shapes import Seq2SeqConfig, TransformerConfig

    folder = ModelFolder.open(path, languages=languages) if is_model_folder(path) else None
    if folder is None or not isinstance(folder.shape, TransformerConfig | Seq2SeqConfig):
        if languages != (None, None):
            raise ConfigError("a vocabulary has no languages", where=path, hint="name no language")
        found = {"tokenizer": load(path), "eos": eos or "<|endoftext|>"}
        return found if source is None else {**found, "source_tokenizer": load(source)}
    if source is not None:
        raise ConfigError("--source-tokenizer with the folder of a model", where=source, hint="the folder has them")
    target, own = folder.tokenizer, folder.source_tokenizer
    last = eos if folder.eos_id is None else target.id_to_token(folder.eos_id)
    if eos not in (None, last):
        raise ConfigError(f"--eos {eos}, and this model's texts end with {last}", where=path, hint="leave it out")
    found = {"tokenizer": target, "eos": last, "frame": folder.frame()}
    return found if own is target else {**found, "source_tokenizer": own}
