"""``textpipe pack-pairs``: turns flags into pairs and calls :func:`textpipe.data.pairs.pack_pairs`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from textpipe.cli.pair_files import COLUMNS, PAIR_FILES, columns_of, pairs_of
from textpipe.cli.tokenizer_option import SEED, SPECIAL_IN_CORPUS, SpecialPolicy, load
from textpipe.errors import ConfigError

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
    """
    from textpipe.data.pairs import pack_pairs

    places = columns_of(columns)
    made = pack_pairs(
        pairs_of(inputs or [], source, target, places, "--source and --target"),
        pairs_of(val, val_source, val_target, places, "--val, or --val-source and --val-target"),
        out=out,
        **_tokenizers(tokenizer, source_tokenizer, eos, (source_language, target_language)),
        special=special,
        seed=seed,
        threads=threads,
    )
    for name in ("train", "val"):
        row = made.counts[name]
        tokens = f"{row['source_tokens']:,} source tokens\t{row['target_tokens']:,} target tokens"
        print(f"{name}\t{row['pairs']:,} pairs\t{tokens}")


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
