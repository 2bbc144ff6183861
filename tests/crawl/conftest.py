"""Small sites on loopback, and crawls of them that do not wait."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest

from textpipe.crawl import CrawlConfig, Crawler
from textpipe.limits import DEFAULT_LIMITS
from textpipe.sources.warc import iter_pages
from textpipe.testing import Reply

QUICK = replace(DEFAULT_LIMITS, connect_timeout_s=2.0, read_timeout_s=2.0, total_timeout_s=4.0)


class SteppingClock:
    """A wall clock that runs ahead at every look, so that no wait lasts."""

    def __init__(self, step_s: float = 5.0) -> None:
        self.now = 1_700_000_000.0
        self.step_s = step_s

    def __call__(self) -> float:
        self.now += self.step_s
        return self.now


def page(*links: str, text: str = "", head: str = "") -> Reply:
    """An HTML page with these links."""
    anchors = "".join(f'<a href="{link}">{link}</a>' for link in links)
    html = f"<!doctype html><html><head><meta charset=utf-8>{head}</head><body><p>{text or links}</p>{anchors}</body>"
    return Reply(html.encode())


@pytest.fixture
def run(tmp_path):
    """``run(server, paths=("/",), **settings)`` crawls into one folder and returns the result."""

    def run(server, paths=("/",), *, out=None, limits=QUICK, clock=None, **settings):
        config = {"delay_s": 0, "allow_private": True, "retries": 0, **settings}
        config.setdefault("seeds", tuple(server.url(path) for path in paths))
        crawler = Crawler(
            CrawlConfig(**config), out or tmp_path / "crawl", limits=limits, clock=clock or SteppingClock()
        )
        return crawler.run()

    return run


@pytest.fixture
def fate(tmp_path):
    """``fate()`` maps each path (or whole URL of another host) the crawl knows to ``state/reason``."""

    def fate(out=None):
        database = sqlite3.connect((out or tmp_path / "crawl") / "frontier.sqlite")
        rows = database.execute("SELECT url, state, reason FROM urls").fetchall()
        database.close()
        local = "http://127.0.0.1:"
        return {
            "/" + url.split("/", 3)[3] if url.startswith(local) else url: f"{state}/{reason}"
            for url, state, reason in rows
        }

    return fate


@pytest.fixture
def pages(tmp_path):
    """``pages()`` gives every page of the crawl's archive, file by file."""

    def pages(out=None):
        folder = (out or tmp_path / "crawl") / "warc"
        return [page for path in sorted(folder.glob("*.warc.gz*")) for page in iter_pages(path)]

    return pages
