"""``textpipe report``: one page of what the other verbs wrote."""

from __future__ import annotations

from pathlib import Path

import typer


def command(
    folders: list[Path] = typer.Argument(help="What crawl, clean, train-vocab, pack and train wrote, any of them."),
    out: Path = typer.Option(Path("report.html"), "--out", help="The page to write."),
    title: str = typer.Option("From web pages to generated text", "--title", help="Heading of the page."),
) -> None:
    """Put a crawl, a corpus, a vocabulary, shards and a run on one self-contained HTML page.

    \b
    textpipe report crawl corpus vocab shards run --out report.html

    The page opens with no network and reads without scripts, in light and dark.
    """
    from textpipe.report import write_report

    write_report(folders, out, title=title)
    print(out)
