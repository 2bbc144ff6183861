"""``textpipe decode``: ids in, text out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import typer

from textpipe.cli.tokenizer_option import ALLOW, TOKENIZER, load, read_stdin
from textpipe.errors import FormatError, InputError
from textpipe.sources import is_jsonl, iter_lines

_MOST = 1 << 31


def command(
    ids: list[str] = typer.Argument(None, help="Ids; without any, --file or standard input."),
    *,
    tokenizer: Path = TOKENIZER,
    file: Path | None = typer.Option(
        None, "--file", "-f", help="A .npy, .jsonl or .jsonl.zst that encode --out wrote."
    ),
    keep_special: bool = typer.Option(False, "--keep-special", help="Show special tokens."),
    allow: list[str] = ALLOW,
    as_json: bool = typer.Option(False, "--json", help="A line of JSON a text: a text may hold line ends."),
) -> None:
    """Turn ids into text.

    \b
    textpipe decode 312 87 1020 --tokenizer vocab
    textpipe encode "안녕" -t vocab | textpipe decode -t vocab
    textpipe decode --file ids.npy --tokenizer vocab
    """
    made = load(tokenizer, allow)
    if file is not None:
        rows = _lines(file) if is_jsonl(file) else iter(_arrays(file))
    else:
        rows = map(_numbers, [" ".join(ids)] if ids else read_stdin().splitlines())
    size = made.get_vocab_size()
    for row in rows:
        unknown = next((number for number in row if made.id_to_token(number) is None), None)
        if unknown is not None:  # the library passes over it, as `tokenizers` does; a person should hear of it
            raise InputError(f"no token has the id {unknown}", where=tokenizer, allowed=f"ids of {size:,} entries")
        text = made.decode(row, skip_special_tokens=not keep_special)
        print(json.dumps({"schema_version": 1, "text": text}, ensure_ascii=False) if as_json else text)


def _numbers(line: str) -> list[int]:
    words = re.split(r"[\s,]+", line.strip(" \t[],"))
    wrong = next((word for word in words if word and not re.fullmatch(r"[0-9]{1,9}", word)), None)
    if wrong is not None:
        raise InputError(f'"{wrong[:40]}" is not an id', allowed="whole numbers, with spaces or commas between")
    return [int(word) for word in words if word]


def _lines(path: Path) -> Iterator[list[int]]:
    for number, line in enumerate(iter_lines(path), 1):
        try:
            ids = json.loads(line)["ids"]
        except (ValueError, TypeError, KeyError, RecursionError):
            ids = None
        if not isinstance(ids, list) or not all(type(each) is int and 0 <= each < _MOST for each in ids):
            raise FormatError("is no list of ids", path=path, field=f"line {number}", allowed='{"ids": [312, 87]}')
        yield ids


def _arrays(path: Path) -> list[list[int]]:
    import numpy as np

    offsets_path = path.with_suffix(".offsets.npy")
    arrays = []
    for name in (path, offsets_path):
        try:
            arrays.append(np.load(name, allow_pickle=False))
        except FileNotFoundError:
            raise InputError("no such file", where=name, hint="encode --out writes both files") from None
        except (ValueError, EOFError, IsADirectoryError):
            raise FormatError("is no array of numbers", path=name, allowed=".npy, .jsonl or .jsonl.zst") from None
        if arrays[-1].ndim != 1 or arrays[-1].dtype.kind not in "ui":
            raise FormatError(
                f"holds {arrays[-1].dtype} of {arrays[-1].ndim} dimensions", path=name, allowed="a row of ids"
            )
    ids, offsets = arrays
    if len(offsets) == 0 or offsets[0] != 0 or offsets[-1] != len(ids) or (np.diff(offsets) < 0).any():
        raise FormatError("does not fit the ids", path=offsets_path)
    bounds = offsets.tolist()
    return [ids[begin:end].tolist() for begin, end in pairwise(bounds)]
