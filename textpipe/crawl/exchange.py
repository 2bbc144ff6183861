"""What a fetching thread does with one URL: request it, and read what it links to.

What enters: a URL of the frontier. What leaves: an :class:`Answer`, for the one thread that decides and writes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from textpipe.crawl.fetch import Fetched, Fetcher, Response
from textpipe.crawl.frontier import QueuedUrl
from textpipe.crawl.links import PageLinks, page_links
from textpipe.crawl.sitemaps import Sitemap, parse_sitemap
from textpipe.crawl.verdict import is_list_type, is_page_type
from textpipe.limits import DEFAULT_LIMITS, Limits

__all__ = ["Answer", "fetch_item"]


@dataclass(frozen=True, slots=True)
class Answer:
    """The exchange, and what was read in its body."""

    fetched: Fetched
    links: PageLinks = field(default_factory=PageLinks)
    sitemap: Sitemap | None = None


def fetch_item(fetcher: Fetcher, item: QueuedUrl, limits: Limits = DEFAULT_LIMITS) -> Answer:
    """Fetch one URL and read its links."""
    if item.kind == "sitemap":
        fetched = fetcher.fetch(item.url, max_bytes=limits.sitemap_bytes, max_wire_bytes=limits.sitemap_bytes)
        if not isinstance(fetched, Response) or not 200 <= fetched.status < 300:
            return Answer(fetched)
        return Answer(fetched, sitemap=parse_sitemap(item.url, fetched.body, limits))
    fetched = fetcher.fetch(item.url, wanted=is_page_type)
    if not isinstance(fetched, Response) or not 200 <= fetched.status < 300:
        return Answer(fetched)
    if is_list_type(fetched) and not fetched.truncated:
        return Answer(fetched, sitemap=parse_sitemap(item.url, fetched.body, limits))
    return Answer(fetched, links=page_links(fetched))
