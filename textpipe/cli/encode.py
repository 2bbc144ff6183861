"""``textpipe encode``: text in, ids out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from textpipe.cli.tokenizer_option import TOKENIZER, load, texts_of
from textpipe.errors import InputError

if TYPE_CHECKING:
    from textpipe.tokenizer import Tokenizer

_BATCH_TEXTS = 4096


def command(
    texts: list[str] = typer.Argument(None, help="Texts; without any, --file or standard input."),
    *,
    tokenizer: Path = TOKENIZER,
    file: list[Path] = typer.Option([], "--file", "-f", help="Text or JSONL files (.gz, .zst), or folders of them."),
    out: Path | None = typer.Option(
        None, "--out", "-o", help="Write ids to this .npy, and where texts begin beside it."
    ),
    as_json: bool = typer.Option(False, "--json", help="A line of JSON a text: ids, tokens, offsets."),
    special: bool = typer.Option(True, "--special/--no-special", help="Let the template add its special tokens."),
    threads: int | None = typer.Option(None, "--threads", help="Threads; all cores when absent."),
) -> None:
    """Turn text into ids, a line of them a text.

    \b
    textpipe encode "안녕하세요" --tokenizer vocab
    textpipe encode --file corpus --out ids.npy
    """
    if out is not None and as_json:
        raise InputError("--json and --out together", hint="give one or the other")
    made = load(tokenizer)
    if out is not None:
        return _write_arrays(made, texts or [], file, out, special=special, threads=threads)
    for text in texts_of(texts or [], file):
        if as_json:
            encoding = made.encode(text, add_special_tokens=special)
            row = {"schema_version": 1, "ids": encoding.ids, "tokens": encoding.tokens, "offsets": encoding.offsets}
            print(json.dumps(row, ensure_ascii=False))
        else:
            ids, _ = made.encode_to_numpy([text], threads=threads, add_special_tokens=special)
            print(" ".join(map(str, ids.tolist())))
    return None


def _write_arrays(
    tokenizer: Tokenizer, texts: list[str], files: list[Path], out: Path, *, special: bool, threads: int | None
) -> None:
    import numpy as np

    from textpipe.files import replace_file

    if out.suffix != ".npy":
        raise InputError(f"{out} does not end in .npy", hint=f"--out {out}.npy")
    parts, sizes = [], [np.zeros(1, dtype=np.int64)]
    batch: list[str] = []

    def encode_batch() -> None:
        ids, offsets = tokenizer.encode_to_numpy(batch, threads=threads, add_special_tokens=special)
        parts.append(ids)
        sizes.append(np.diff(offsets))
        batch.clear()

    for text in texts_of(texts, files):
        batch.append(text)
        if len(batch) == _BATCH_TEXTS:
            encode_batch()
    encode_batch()
    ids, offsets = np.concatenate(parts), np.cumsum(np.concatenate(sizes))
    for path, values in ((out, ids), (out.with_suffix(".offsets.npy"), offsets)):
        with replace_file(path) as target:
            # np.save would seek in a real file; this one only grows.
            np.lib.format.write_array_header_1_0(target, np.lib.format.header_data_from_array_1_0(values))
            target.write(np.ascontiguousarray(values).data)
    print(f"{out}: {len(ids):,} ids of {len(offsets) - 1:,} texts, {ids.dtype}")
