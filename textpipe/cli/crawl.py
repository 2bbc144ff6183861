"""``textpipe crawl``: flags → :class:`~textpipe.crawl.CrawlConfig` → a crawl folder.

What enters: URLs, or text files that hold one a line. What leaves: the crawl's folder, and on standard output a table
of what became of every URL; progress goes to standard error.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from textpipe.errors import CrawlError, InputError

if TYPE_CHECKING:
    from textpipe.crawl import CrawlConfig, CrawlResult

__all__ = ["command"]


def command(
    seeds: Annotated[
        list[str] | None, typer.Argument(metavar="SEEDS…", help="URLs to begin with, or files with a URL a line.")
    ] = None,
    *,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The crawl's folder; an earlier crawl there goes on.")
    ] = Path("crawl"),
    contact: Annotated[
        str | None, typer.Option(help="URL or e-mail address at which a site's owner can reach you.")
    ] = None,
    sitemap: Annotated[list[str] | None, typer.Option(help="One more sitemap, feed or URL list to begin with.")] = None,
    delay: Annotated[float, typer.Option(help="Least seconds between two requests to a host.")] = 1.0,
    max_pages: Annotated[int | None, typer.Option(help="Stop after so many stored pages.")] = None,
    max_depth: Annotated[int, typer.Option(help="Links followed from a seed.")] = 16,
    scope: Annotated[
        Literal["host", "site", "any"], typer.Option(help="Follow links to the seeds' host, to their site, or to any.")
    ] = "host",
    include: Annotated[list[str] | None, typer.Option(help="Fetch only URLs in which this pattern is found.")] = None,
    exclude: Annotated[list[str] | None, typer.Option(help="Fetch no URL in which this pattern is found.")] = None,
    concurrency: Annotated[int, typer.Option(help="Requests under way at once, over all hosts.")] = 16,
    per_host: Annotated[int, typer.Option(help="The same to one private host; any other host gets one.")] = 1,
    patience: Annotated[
        float, typer.Option(help="End when every host left asks to wait longer than this (s).")
    ] = 120.0,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try again what failed earlier.")] = False,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Permit loopback and private networks: your own machines.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what robots.txt and the sitemaps say.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Fetch a web site politely into WARC files.

    \b
    textpipe crawl https://example.org --contact me@example.org --out crawl
    textpipe crawl urls.txt --contact me@example.org --max-pages 1000
    textpipe crawl http://127.0.0.1:8000/ --allow-private --delay 0
    textpipe crawl https://example.org/sitemap.xml --contact me@example.org --dry-run

    robots.txt is obeyed, Crawl-delay and Retry-After too; the sitemaps it names are read. A URL that ends in .xml is
    itself read as a sitemap. The same command again goes on where the last one stopped, however it stopped. A delay of
    0 on a private host is taken at its word; elsewhere Crawl-delay still holds.
    """
    from textpipe.cli.progress import Progress
    from textpipe.crawl import CrawlConfig, Crawler

    urls = [url for seed in seeds or () for url in _urls_of(seed)]
    config = CrawlConfig(
        seeds=tuple(url for url in urls if not _is_sitemap(url)),
        sitemaps=(*(sitemap or ()), *filter(_is_sitemap, urls)),
        contact=contact,
        scope=scope,
        include=tuple(include or ()),
        exclude=tuple(exclude or ()),
        max_pages=max_pages,
        max_depth=max_depth,
        delay_s=delay,
        concurrency=concurrency,
        per_host=per_host,
        patience_s=patience,
        retry_failed=retry_failed,
        allow_private=allow_private,
    )
    if dry_run:
        _show_plan(config)
        return
    with Progress(quiet=quiet) as progress:
        result = Crawler(config, out, report=progress).run()
    _show(result)


def _is_sitemap(url: str) -> bool:
    return url.partition("?")[0].lower().endswith((".xml", ".xml.gz", ".rss", ".atom"))


def _urls_of(seed: str) -> list[str]:
    """A seed itself, or the URLs in the file it names."""
    if "://" in seed:
        return [seed]
    path = Path(seed)
    if not path.is_file():
        raise InputError("neither a URL nor a file", where=seed, hint=f"for a web site write https://{seed}")
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise InputError("not a text file with a URL a line", where=seed) from None
    return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]


def _show(result: CrawlResult) -> None:
    total = result.counts["total"]
    typer.echo(f"{result.out}: {total['pages']:,} pages, {total['bytes']:,} bytes, {total['discovered']:,} URLs known")
    for reason, number in result.counts["by_reason"].items():
        typer.echo(f"{number:>10,}  {reason}")
    for host, seconds in list(result.waiting.items())[:10]:
        typer.echo(f"{host} asks to be left alone for {seconds:,.0f} s more; run the same command again then", err=True)
    if not result.is_complete and not result.waiting:
        typer.echo("URLs are left; the same command with a larger --max-pages goes on", err=True)
    if not total["pages"]:
        raise CrawlError(
            "no page was stored",
            url=str(result.out),
            hint="the table says why; when that is mended, --retry-failed tries again",
        )


def _show_plan(config: CrawlConfig) -> None:
    from textpipe.crawl.plan import plan

    for origin in plan(config):
        typer.echo(f"{origin.origin}: robots.txt {origin.robots}; {origin.delay_s:g} s between requests")
        for url, is_allowed in origin.seeds:
            typer.echo(f"    {'fetch' if is_allowed else 'forbidden'}  {url}")
        for url, number, problem in origin.sitemaps:
            typer.echo(f"    sitemap {url}: {number:,} URLs{', ' + problem if problem else ''}")
