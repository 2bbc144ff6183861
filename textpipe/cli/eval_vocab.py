"""``textpipe eval-vocab``: how tokenizers cut the same texts, side by side."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from textpipe.cli.tokenizer_option import ALLOW, load
from textpipe.errors import FormatError, InputError

if TYPE_CHECKING:
    from textpipe.evaluation.tokenization import TokenizationReport

_ROWS = (
    ("tokens", "num_tokens", "{:,}"),
    ("bytes per token", "bytes_per_token", "{:.3f}"),
    ("tokens per word", "fertility", "{:.3f}"),
    ("words of one token", "single_token", "{:.1%}"),
    ("unknown", "unknown", "{:.2%}"),
    ("byte fallback", "byte_fallback", "{:.2%}"),
    ("parts of characters", "broken", "{:.2%}"),
    ("Rényi efficiency", "renyi_efficiency", "{:.3f}"),
)


def command(
    tokenizers: list[Path] = typer.Argument(help="Tokenizer files, or the folders of them."),
    *,
    corpus: list[Path] = typer.Option(..., "--corpus", "-c", help="Texts to measure on; may be repeated."),
    aligned: Path | None = typer.Option(
        None, "--aligned", help="Pairs that say the same, two texts a line with a tab between: for parity."
    ),
    max_megabytes: float = typer.Option(32.0, "--max-mb", help="Read no more of the corpus than this."),
    allow: list[str] = ALLOW,
    as_json: bool = typer.Option(False, "--json", help="All of it as one JSON object."),
) -> None:
    """Measure how tokenizers cut texts, language by language, side by side.

    \b
    textpipe eval-vocab vocab --corpus corpus
    textpipe eval-vocab old new --corpus ko.txt.zst --corpus en.txt --json
    textpipe eval-vocab vocab --corpus corpus --aligned ko-en.tsv

    Words are runs between white space (eojeols); parts of characters are tokens whose bytes are no whole characters.
    """
    from textpipe.evaluation.tokenization import measure_tokenization, parity
    from textpipe.sources import expand
    from textpipe.vocabulary import sample_documents

    if max_megabytes <= 0:
        raise InputError(f"{max_megabytes} MB hold no text", where="--max-mb", allowed="more than 0")
    size = int(max_megabytes * 1e6)
    documents = list(sample_documents(expand(corpus), num_bytes=size))
    found = {}
    pairs = {}
    for path in tokenizers:
        tokenizer = load(path, allow)
        found[str(path)] = measure_tokenization(tokenizer, documents, max_bytes=size)
        if aligned is not None:
            pairs[str(path)] = parity(tokenizer, _pairs(aligned))
    if as_json:
        rows = {name: {**asdict(report), "parity": pairs.get(name)} for name, report in found.items()}
        print(json.dumps({"schema_version": 1, "tokenizers": rows}, ensure_ascii=False))
    else:
        _show(found, pairs)


def _pairs(path: Path) -> Iterator[tuple[str, str]]:
    from textpipe.sources import iter_texts

    for number, line in enumerate(iter_texts(path), 1):
        sides = line.split("\t")
        if len(sides) < 2:
            raise FormatError("no tab between two texts", path=path, field=f"line {number}")
        yield sides[0], sides[1]


def _show(found: dict[str, TokenizationReport], pairs: dict[str, float]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    for name in found:
        table.add_column(name, justify="right")
    table.add_row("entries", *(f"{report.vocab_size:,}" for report in found.values()))
    table.add_row("unused entries", *(f"{report.dead_pieces:,}" for report in found.values()))
    if pairs:
        table.add_row("parity", *(f"{value:.3f}" for value in pairs.values()))
    first = next(iter(found.values()))
    for number, language in enumerate(first.languages):
        table.add_row(f"{language.lang}: {language.num_bytes:,} bytes, {language.num_words:,} words", style="bold")
        for title, field, form in _ROWS:
            values = [getattr(report.languages[number], field) for report in found.values()]
            table.add_row(f"  {title}", *(form.format(value) for value in values))
    Console(highlight=False, soft_wrap=True, markup=False).print(table)
