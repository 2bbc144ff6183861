"""URL → WARC 1.1 files and pages: robots, politeness, guard, fetch, frontier, archive.

What enters: seeds or sitemaps. What leaves: a folder with ``warc/*.warc.gz``, ``frontier.sqlite`` and
``manifest.json``. The only package of textpipe that uses the network.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textpipe.crawl.crawler import Crawler, CrawlResult, crawl
    from textpipe.crawl.fetch import Fetcher
    from textpipe.crawl.settings import CrawlConfig

__all__ = ["CrawlConfig", "CrawlResult", "Crawler", "Fetcher", "crawl"]

_HOME = {
    "CrawlConfig": "settings",
    "CrawlResult": "crawler",
    "Crawler": "crawler",
    "Fetcher": "fetch",
    "crawl": "crawler",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
