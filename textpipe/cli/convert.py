"""``textpipe convert``: a tokenizer from one file format to another."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import typer

from textpipe.cli.tokenizer_option import ALLOW
from textpipe.errors import InputError


def command(
    source: Path = typer.Argument(metavar="IN", help="A tokenizer file or folder; its content tells the format."),
    out: Path = typer.Argument(metavar="OUT", help="What to write; the name tells the format unless --to does."),
    *,
    to: str | None = typer.Option(
        None, "--to", help="tokenizer.json, transformers, model, tiktoken, vocab.json or vocab.txt."
    ),
    encoding: str | None = typer.Option(
        None, "--encoding", help="What a file of ranks is cut by, where nothing tells: gpt2, cl100k_base, llama3, …"
    ),
    accept_losses: bool = typer.Option(False, "--accept-losses", help="Write even if the format cannot hold it all."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Only say what would be lost."),
    allow: list[str] = ALLOW,
    as_json: bool = typer.Option(False, "--json", help="The outcome as one JSON object."),
) -> None:
    """Turn a tokenizer file into one of another format.

    \b
    textpipe convert vocab.txt tokenizer.json
    textpipe convert vocab out/vocab.json --dry-run
    textpipe convert my.tiktoken folder --encoding llama3 --accept-losses

    A name without an ending is a folder that AutoTokenizer loads; .model is sentencepiece's.
    A part that the new format has no place for is named, and nothing is written unless --accept-losses is given.
    Settings beside the parts, a chat template for instance, are no part: those left out are noted on standard error.
    """
    from textpipe import formats
    from textpipe.formats import tiktoken
    from textpipe.formats.own_stages import allowing

    file, found = formats.detect(source)
    name = formats.format_of_name(out) if to is None else formats.format_named(to)
    if not dry_run and file.resolve() in (out.resolve(), *(out.resolve() / each for each in formats.FORMATS)):
        raise InputError("this would be written over what is read", where=out, hint="name another file or folder")
    if encoding is not None and found != "tiktoken":
        raise InputError(f"--encoding is for files of ranks, and this is {found}", where=file)
    with allowing(allow):
        parts = formats.read_file(source) if encoding is None else tiktoken.read(file, encoding=encoding)
    lost, noted = formats.losses(parts, name), formats.notes(parts, name)
    for note in noted:
        print(f"note: {note}", file=sys.stderr)
    is_refused = bool(lost) and not (accept_losses or dry_run)
    written = [] if is_refused or dry_run else formats.write_file(parts, out, name, accept_losses=accept_losses)
    if as_json:
        row = {"source": str(file), "from": found, "to": name, "losses": lost, "notes": noted, "written": written}
        print(json.dumps({"schema_version": 1, **row}, ensure_ascii=False, default=str))
    else:
        for loss in lost:
            print(f"lost: {loss}")
    if is_refused:
        raise InputError(
            f"{name} cannot hold all of this tokenizer", where=source, hint="--accept-losses writes it all the same"
        )
    if not as_json:
        print(f"{file}: {found}, {parts.model.get_vocab_size():,} pieces: {formats.FORMATS[found].summary}")
        for path in written:
            print(f"{path}: {name}, {path.stat().st_size:,} bytes")
        if dry_run:
            print(f"{out}: {name}, not written")
