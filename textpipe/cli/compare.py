"""``textpipe compare``: where two tokenizers cut the same texts differently."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from textpipe.cli.tokenizer_option import ALLOW, load
from textpipe.errors import InputError

if TYPE_CHECKING:
    from textpipe.evaluation.comparison import Comparison, Difference


def command(
    first: Path = typer.Argument(help="A tokenizer file, or the folder of one."),
    second: Path = typer.Argument(help="The other."),
    corpus: list[Path] = typer.Argument(
        None, help="Texts to cut: text or JSONL files (.gz, .zst), or folders of them. Without any, parts are compared."
    ),
    *,
    num_examples: int = typer.Option(10, "--examples", help="How many differences and documents to show."),
    max_megabytes: float | None = typer.Option(None, "--max-mb", help="Read no more of the corpus than this."),
    allow: list[str] = ALLOW,
    as_json: bool = typer.Option(False, "--json", help="All of it as one JSON object."),
) -> None:
    """Show where two tokenizers cut texts differently, the worst documents first.

    \b
    textpipe compare old/tokenizer.json new/tokenizer.json corpus
    textpipe compare a b ko.txt.zst --examples 50 --json

    White space at the edges of tokens is left out of account.
    """
    from textpipe.evaluation.comparison import compare_tokenizers
    from textpipe.sources import iter_documents

    if num_examples < 1:
        raise InputError(f"{num_examples} examples cannot be shown", where="--examples", allowed="1 or more")
    found = compare_tokenizers(
        load(first, allow),
        load(second, allow),
        iter_documents(corpus) if corpus else (),
        num_examples=num_examples,
        max_bytes=None if max_megabytes is None else int(max_megabytes * 1e6),
    )
    if as_json:
        print(json.dumps({"schema_version": 1, **_plain(found)}, ensure_ascii=False))
    else:
        _show(found, str(first), str(second))


def _plain(found: Comparison) -> dict[str, Any]:
    made = asdict(found)
    for row, document in zip(made["documents"], found.documents, strict=True):
        row["number"] = -document.number
    return made


def _show(found: Comparison, first: str, second: str) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, soft_wrap=True, markup=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("", first, second):
        table.add_column(name, justify="left" if not name else "right")
    table.add_row("entries", *(f"{size:,}" for size in found.vocab_sizes))
    if found.num_documents:
        table.add_row("tokens", *(f"{count:,}" for count in found.num_tokens))
        table.add_row("bytes per token", *(f"{found.num_bytes / max(count, 1):.3f}" for count in found.num_tokens))
    console.print(table)
    shared = f"{found.num_shared_pieces:,} pieces in both, {found.num_same_ids:,} of them with the same id"
    stages = ", ".join(found.stages_different).replace("_", "-")
    console.print(f"{shared}; " + (f"different: {stages}" if stages else "all stages the same"))
    if not found.num_documents:
        return
    console.print(
        f"{found.num_documents:,} documents: {found.num_documents_same_ids:,} with the same ids, "
        f"{found.num_documents_same_cut:,} cut the same; "
        f"{100 * found.num_chars_different / max(found.num_chars, 1):.2f} % of the characters cut differently"
    )
    if found.differences:
        console.print("\nmost frequent differences", style="bold")
        for difference in found.differences:
            console.print(f"{difference.count:>9,}  {_cut(difference)}")
        console.print("\nworst documents", style="bold")
        for document in found.documents:
            share = f"{document.num_chars_different:,} of {document.num_chars:,} characters"
            one, other = document.num_tokens
            console.print(f"{document.id or f'number {-document.number}'}: {share}, {one:,} and {other:,} tokens")
            for difference in document.examples:
                console.print(f"           {_cut(difference)}")


def _cut(difference: Difference) -> str:
    from textpipe.encoding.visible import visible

    one, other = ("│".join(map(visible, pieces)) for pieces in (difference.first, difference.second))
    return f"{one}   →   {other}"
