"""``textpipe encode``: text in, ids out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from textpipe.cli.tokenizer_option import ALLOW, SEED, TEMPLATE, TOKENIZER, WHOLE, SpecialPolicy, load, texts_of
from textpipe.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from textpipe.records import Document
    from textpipe.tokenizer import Tokenizer

_BATCH_TEXTS = 4096
_SUFFIXES = (".npy", ".jsonl", ".jsonl.zst")


def command(
    texts: list[str] = typer.Argument(None, help="Texts; without any, --file or the lines of standard input."),
    *,
    tokenizer: Path = TOKENIZER,
    file: list[Path] = typer.Option([], "--file", "-f", help="Text or JSONL files (.gz, .zst), or folders of them."),
    whole: bool = WHOLE,
    out: Path | None = typer.Option(
        None,
        "--out",
        "-o",
        help="Write ids there: a .npy (and where texts begin beside it), a .jsonl or .jsonl.zst, "
        "or a folder for token shards.",
    ),
    eos: str = typer.Option("<|endoftext|>", "--eos", help="Special token after each document of token shards."),
    as_json: bool = typer.Option(False, "--json", help="A line of JSON a text: ids, tokens, offsets."),
    template: bool = TEMPLATE,
    special: SpecialPolicy | None = typer.Option(
        None,
        "--special",
        help="Special tokens written in a text are tokens (allow), plain text (text), or an error (raise). By default "
        "allow for texts in the command, and text for those of files and standard input, whoever wrote them.",
    ),
    seed: int = SEED,
    allow: list[str] = ALLOW,
    threads: int | None = typer.Option(None, "--threads", help="Threads; all cores when absent."),
) -> None:
    """Turn text into ids, a line of them a text.

    \b
    textpipe encode "안녕하세요" --tokenizer vocab
    textpipe encode --file corpus --out ids.npy
    textpipe encode --file corpus --out shards

    A line of a text file or of standard input is a text, so is a document of JSONL; empty lines of files are passed
    over. Shards take any amount of text in bounded memory.
    """
    if out is not None and as_json:
        raise InputError("--json and --out together", hint="give one or the other; a .jsonl holds JSON")
    made = load(tokenizer, allow).seeded(seed)
    special = special or ("allow" if texts else "text")
    if out is not None and not out.suffix:
        documents = _documents(texts or [], file, whole=whole)
        return _write_shards(made, documents, out, eos=eos, special=special, threads=threads)
    stream: Iterable[str] = texts_of(texts or [], file, whole=whole)
    if special == "raise":  # here, where a text has its number among all of them
        stream, special = _refusing(made, stream), "text"
    if as_json:
        for text in stream:
            encoding = made.encode(text, add_special_tokens=template, special=special)
            row = {"schema_version": 1, "ids": encoding.ids, "tokens": encoding.tokens, "offsets": encoding.offsets}
            print(json.dumps(row, ensure_ascii=False))
        return None
    batches = _encoded(made, stream, template=template, special=special, threads=threads)
    if out is not None:
        return _write(batches, out)
    for ids, offsets in batches:
        for numbers in _rows(ids, offsets):
            print(" ".join(map(str, numbers)))
    return None


_Batches = Iterator[tuple["NDArray[np.uint16] | NDArray[np.uint32]", "NDArray[np.int64]"]]


def _refusing(tokenizer: Tokenizer, texts: Iterable[str]) -> Iterator[str]:
    from textpipe.tokenizer.special_text import refuse_special

    for number, text in enumerate(texts):
        refuse_special(tokenizer.pipeline, text, f"text {number}")
        yield text


def _encoded(
    tokenizer: Tokenizer, texts: Iterable[str], *, template: bool, special: SpecialPolicy, threads: int | None
) -> _Batches:
    stream = iter(texts)
    while batch := list(islice(stream, _BATCH_TEXTS)):
        yield tokenizer.encode_to_numpy(batch, threads=threads, add_special_tokens=template, special=special)


def _rows(ids: Any, offsets: Any) -> Iterator[list[int]]:
    flat, bounds = ids.tolist(), offsets.tolist()
    for begin, end in pairwise(bounds):
        yield flat[begin:end]


def _write(batches: _Batches, out: Path) -> None:
    if out.suffix == ".npy":
        return _write_arrays(batches, out)
    if out.name.endswith((".jsonl", ".jsonl.zst")):
        return _write_lines(batches, out)
    raise InputError(f"{out} ends in {out.suffix}", allowed=", ".join(_SUFFIXES) + ", or a folder without a suffix")


def _write_arrays(batches: _Batches, out: Path) -> None:
    import numpy as np

    from textpipe.files import replace_file

    parts: list[Any] = [np.zeros(0, dtype=np.uint16)]
    sizes = [np.zeros(1, dtype=np.int64)]
    for ids, offsets in batches:
        parts.append(ids)
        sizes.append(np.diff(offsets))
    ids, offsets = np.concatenate(parts), np.cumsum(np.concatenate(sizes))
    for path, values in ((out, ids), (out.with_suffix(".offsets.npy"), offsets)):
        with replace_file(path) as target:
            # np.save would seek in a real file; this one only grows.
            np.lib.format.write_array_header_1_0(target, np.lib.format.header_data_from_array_1_0(values))
            target.write(np.ascontiguousarray(values).data)
    print(f"{out}: {len(ids):,} ids of {len(offsets) - 1:,} texts, {ids.dtype}")


def _write_lines(batches: _Batches, out: Path) -> None:
    import zstandard

    from textpipe.files import replace_file

    num_ids = num_texts = 0
    packer = zstandard.ZstdCompressor(level=3, write_checksum=True).compressobj() if out.suffix == ".zst" else None
    with replace_file(out) as target:
        for ids, offsets in batches:
            data = "".join(f'{{"ids": {row}}}\n' for row in _rows(ids, offsets)).encode()
            target.write(data if packer is None else packer.compress(data))
            num_ids, num_texts = num_ids + len(ids), num_texts + len(offsets) - 1
        if packer is not None:
            target.write(packer.flush())
    print(f"{out}: {num_ids:,} ids of {num_texts:,} texts")


def _documents(texts: list[str], files: list[Path], *, whole: bool) -> Iterable[Document]:
    from textpipe.records import Document
    from textpipe.sources import iter_documents

    if files and not (texts or whole):
        return iter_documents(files)
    return (Document(id=str(n), text=text) for n, text in enumerate(texts_of(texts, files, whole=whole)))


def _write_shards(
    tokenizer: Tokenizer,
    documents: Iterable[Document],
    out: Path,
    *,
    eos: str,
    special: SpecialPolicy,
    threads: int | None,
) -> None:
    from textpipe.cli.progress import Progress
    from textpipe.data.packing import encode_documents

    with Progress() as progress:
        split = encode_documents(
            documents, tokenizer, out, eos=eos, special=special, threads=threads, progress=progress
        )
    print(f"{out}: {split.num_tokens:,} ids of {split.num_documents:,} texts in {len(split.shards)} shards")
