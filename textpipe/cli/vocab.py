"""``textpipe vocab``: a tokenizer with more entries and every id kept, or with fewer and a map of the ids."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import typer

from textpipe.cli.tokenizer_option import load

app = typer.Typer(
    help="Give a byte-pair tokenizer more entries, or fewer.", no_args_is_help=True, rich_markup_mode="rich"
)

_TOKENIZER = typer.Argument(metavar="TOKENIZER", help="A tokenizer.json, or the folder of one.")
_OUT = typer.Option(..., "--out", "-o", help="Folder to make.")
_THREADS = typer.Option(None, "--threads", help="All cores when absent.")
_JSON = typer.Option(False, "--json", help="The outcome as one JSON object.")
_SHOWN = 12


@app.callback()
def _verbs() -> None:
    """Give a byte-pair tokenizer more entries, or fewer."""


@app.command("extend")
def extend(
    tokenizer: Path = _TOKENIZER,
    inputs: list[str] = typer.Argument(help="Texts to learn from: what clean wrote, JSONL, Parquet or text files."),
    *,
    vocab_size: int = typer.Option(..., "--vocab-size", "-n", help="Entries of the whole, added tokens included."),
    min_frequency: int = typer.Option(0, "--min-frequency", min=0, help="What occurs less often is not learned."),
    out: Path = _OUT,
    threads: int | None = _THREADS,
    quiet: bool = typer.Option(False, "--quiet", "-q", help="No progress on standard error."),
    as_json: bool = _JSON,
) -> None:
    """Learn more entries from texts; all there are keep their ids, so a model needs new rows only at the end.

    \b
    textpipe vocab extend gpt2/tokenizer.json korean.txt.zst --vocab-size 60000 --out gpt2-ko
    """
    from textpipe.cli.progress import Progress, with_memory
    from textpipe.encoding.visible import visible_bytes
    from textpipe.vocabulary import Origin, SourceFiles, extend_tokenizer, publish_extended

    _refuse_existing(out)
    before = load(tokenizer)
    sources = SourceFiles(inputs).describe()
    with Progress(quiet=quiet) as progress:
        made = extend_tokenizer(
            before, inputs, vocab_size, min_frequency=min_frequency, threads=threads, progress=with_memory(progress)
        )
    old, new = before.get_vocab(), made.get_vocab()
    added = sorted(new.keys() - old.keys(), key=lambda piece: new[piece])
    settings = {"vocab_size": vocab_size, "min_frequency": min_frequency}
    figures = publish_extended(made, out, Origin(before, settings, sources))
    if as_json:
        _print_json(out, figures)
        return
    print(f"vocabulary\t{len(new):,} entries\t{len(old):,} kept, {len(added):,} added")
    if len(new) < vocab_size:
        print(f"note\t{vocab_size:,} entries were asked for: the text yields no more than these")
    for which, pieces in (("first", added[:_SHOWN]), ("last", added[-_SHOWN:])):
        shown = " ".join(visible_bytes(made.id_to_bytes(new[piece])) for piece in pieces)
        print(f"{which} added\t{shown}")
    print(f"wrote\t{out}: {', '.join(sorted(path.name for path in out.iterdir()))}")


@app.command("prune")
def prune(
    tokenizer: Path = _TOKENIZER,
    *,
    keep_size: int | None = typer.Option(
        None, "--keep-size", "-n", min=1, help="Entries to have in all: without --corpus, those learned first."
    ),
    corpus: list[Path] | None = typer.Option(
        None, "--corpus", help="With --keep-size: the entries these texts use most stay; may be repeated."
    ),
    keep_file: Path | None = typer.Option(
        None, "--keep-file", help="The entries to keep, one a line, spelled as in tokenizer.json."
    ),
    out: Path = _OUT,
    threads: int | None = _THREADS,
    as_json: bool = _JSON,
) -> None:
    """Keep some entries, and write which rows of an embedding stay.

    \b
    textpipe vocab prune o200k/tokenizer.json --keep-size 50000 --corpus korean.txt.zst --out small
    textpipe vocab prune big --keep-file wanted.txt --out small

    Characters (or bytes), added tokens, and the parts that an entry is merged from stay in any case, so whatever could
    be encoded still can. id_map.npy holds the old id of each new one: weight[numpy.load("small/id_map.npy")] are the
    rows of the new embedding. id_map.json holds the new id of each old one.
    """
    from textpipe.errors import ConfigError
    from textpipe.vocabulary import Origin, SourceFiles, prune_tokenizer, publish_pruned

    if (keep_size is None) == (keep_file is None):
        raise ConfigError("what to keep is not clear", allowed="one of --keep-size and --keep-file")
    if corpus and keep_file is not None:
        raise ConfigError("--corpus chooses entries for --keep-size", hint="leave out --corpus or --keep-file")
    _refuse_existing(out)
    before = load(tokenizer)
    keep = keep_size if keep_size is not None else _read_entries(keep_file)
    decided_by = corpus or ([] if keep_file is None else [keep_file])
    sources = SourceFiles(decided_by).describe()
    made = prune_tokenizer(before, keep, corpus=corpus or None, threads=threads)
    settings = {"keep": keep_size if keep_file is None else "the entries of a file", "by_corpus": bool(corpus)}
    figures = publish_pruned(made, out, Origin(before, settings, sources))
    if as_json:
        _print_json(out, figures)
        return
    print(f"vocabulary\t{figures['vocab_size']:,} entries\t{figures['removed']:,} removed")
    print(f'embedding\tweight[numpy.load("{out / "id_map.npy"}")] are its rows')
    print(f"wrote\t{out}: {', '.join(sorted(path.name for path in out.iterdir()))}")


def _refuse_existing(out: Path) -> None:
    from textpipe.errors import StateError

    if out.exists():
        raise StateError("there is something already", where=out, hint="name another folder, or remove it")


def _read_entries(file: Path | None) -> list[str]:
    from textpipe.sources import iter_line_chunks

    assert file is not None
    lines = [line for chunk in iter_line_chunks(file) for line in chunk.decode().split("\n")]
    return [line.removesuffix("\r") for line in lines if line.strip("\r")]


def _print_json(out: Path, figures: dict[str, Any]) -> None:
    print(json.dumps({"schema_version": 1, "path": str(out), **figures}, ensure_ascii=False))
