"""``textpipe clean``: flags → :class:`~textpipe.clean.CleanConfig` → a folder of documents.

What enters: files and folders. What leaves: the folder, and on standard output a table of what was kept and why the
rest was not; progress goes to standard error.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from textpipe.sources import TextUnit

if TYPE_CHECKING:
    from textpipe.clean import CleanConfig, CleanResult
    from textpipe.cli.progress import Progress
    from textpipe.engine import Engine

__all__ = ["command"]


def command(
    inputs: Annotated[
        list[Path],
        typer.Argument(metavar="INPUTS…", help="A crawl folder, WARC, HTML, JSONL or text files, or folders of them."),
    ],
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder; an interrupted run there goes on.")] = Path(
        "corpus"
    ),
    langs: Annotated[str, typer.Option(help="Languages to keep, with commas; 'all' keeps every one.")] = "ko,en",
    min_chars: Annotated[int, typer.Option(help="Fewest characters of a document, white space not counted.")] = 120,
    text_unit: Annotated[TextUnit, typer.Option(help="What is one document of a plain text file.")] = "file",
    keep_duplicates: Annotated[bool, typer.Option("--keep-duplicates", help="Keep texts that repeat.")] = False,
    workers: Annotated[int, typer.Option(help="Processes; 0 works in this one.  [default: one a core]")] = -1,
    engine: Annotated[Literal["local", "ray"], typer.Option(help="Where the workers run.")] = "local",
    explain: Annotated[
        str | None, typer.Option(metavar="URL|ID", help="Only show what each stage says of this one document.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be read and written.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Turn pages, HTML, JSONL or text into clean documents; count what is dropped.

    \b
    textpipe clean crawl --out corpus
    textpipe clean saved-pages/ reviews.jsonl.zst --out corpus --langs ko
    textpipe clean old-cp949-texts/ --text-unit paragraph --min-chars 50
    textpipe clean crawl --explain https://example.org/a.html

    Kept documents go to OUT/docs, dropped ones with their reasons to OUT/removed, the counts to OUT/manifest.json. The
    same command again goes on where the last one stopped. Next: textpipe train-vocab OUT
    """
    from textpipe.clean import CleanConfig, Cleaner
    from textpipe.cli.progress import Progress

    config = CleanConfig(
        langs=() if langs == "all" else tuple(lang.strip() for lang in langs.split(",")),
        min_chars=min_chars,
        text_unit=text_unit,
        deduplicate=not keep_duplicates,
    )
    if explain is not None:
        _show_verdicts(inputs, explain, config, out)
        return
    if dry_run:
        _show_plan(inputs, out)
        return
    workers = (os.cpu_count() or 1) if workers == -1 else workers
    with Progress(quiet=quiet) as progress:
        _note_unfinished(inputs, progress)
        cleaner = Cleaner(inputs, out, config, workers=workers, engine=_engine(engine, workers), progress=progress)
        result = cleaner.run()
    _show_counts(result)


def _note_unfinished(inputs: list[Path], progress: Progress) -> None:
    """A crawl that has URLs left may be meant (--max-pages) or forgotten (Ctrl-C): say it, and go on."""
    from textpipe.files import MANIFEST, read_manifest

    for folder in inputs:
        is_crawl = (folder / "frontier.sqlite").exists() and (folder / MANIFEST).exists()
        if is_crawl and not read_manifest(folder, kind="crawl")["counts"]["is_complete"]:
            progress.note(f"{folder}: this crawl has URLs left; the same textpipe crawl command goes on with it")


def _engine(name: str, workers: int) -> Engine | None:
    if name == "local":
        return None
    from textpipe.engine.ray import RayEngine
    from textpipe.limits import DEFAULT_LIMITS

    return RayEngine(workers, deadline_s=DEFAULT_LIMITS.extract_timeout_s)


def _show_verdicts(inputs: list[Path], target: str, config: CleanConfig, out: Path) -> None:
    from textpipe.clean.explain import explain

    for row in explain(inputs, target, config, out=out):
        print(f"{row.stage:<10} {row.verdict:<8} {row.detail}")


def _show_plan(inputs: list[Path], out: Path) -> None:
    from textpipe.clean.inputs import find_sources

    sources = find_sources(inputs)
    for kind in ("warc", "html", "jsonl", "text"):
        sizes = [source.path.stat().st_size for source in sources if source.kind == kind]
        if sizes:
            print(f"would read {len(sizes):>8,} {kind:<5} files, {sum(sizes):,} bytes")
    print(f"would write {out / 'docs'}, {out / 'removed'} and {out / 'manifest.json'}")


def _show_counts(result: CleanResult) -> None:
    counts = result.counts
    print(f"{counts['documents_in']:>10,}  documents read")
    for reason, number in counts["reasons"].items():
        print(f"{-number:>10,}  {reason}")
    langs = ", ".join(f"{lang} {number:,}" for lang, number in counts["langs"].items())
    print(f"{counts['kept']:>10,}  kept in {result.out / 'docs'}{f' ({langs})' if langs else ''}")
    if not counts["kept"]:
        typer.echo("nothing was kept: look into removed/ or try --explain URL", err=True)
