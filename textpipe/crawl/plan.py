"""What a crawl would do, without doing it.

What enters: settings. What leaves: for each origin of the seeds the verdict of its robots.txt on each seed, the delay
that would hold, and how many URLs its sitemaps name. Only robots.txt and sitemaps are fetched.
"""

from __future__ import annotations

from dataclasses import dataclass

from textpipe.crawl.crawler import Crawler
from textpipe.crawl.fetch import Failure, Fetcher
from textpipe.crawl.robots import fetch_rules
from textpipe.crawl.settings import CrawlConfig
from textpipe.crawl.sitemaps import parse_sitemap
from textpipe.crawl.urls import host_of, origin_of

__all__ = ["OriginPlan", "plan"]


@dataclass(frozen=True, slots=True)
class OriginPlan:
    """One origin: ``seeds`` are ``(url, may be fetched)``, ``sitemaps`` are ``(url, number of URLs, problem)``."""

    origin: str
    robots: str
    delay_s: float
    seeds: tuple[tuple[str, bool], ...]
    sitemaps: tuple[tuple[str, int, str], ...]


def plan(config: CrawlConfig, *, fetcher: Fetcher | None = None) -> list[OriginPlan]:
    """Ask each origin of the seeds for its robots.txt and sitemaps, and tell what would follow from them."""
    crawler = Crawler(config, "unused", fetcher=fetcher)
    client = crawler.make_fetcher()
    politeness = crawler.make_politeness()
    found = []
    try:
        for origin in dict.fromkeys(origin_of(url) for url in (*crawler.seeds, *crawler.sitemaps)):
            rules = fetch_rules(client, origin, crawler.limits)
            politeness.asked(host_of(origin + "/"), rules.delay_s)
            own = [url for url in crawler.sitemaps if origin_of(url) == origin]
            sitemaps = list(dict.fromkeys(own + (rules.sitemaps if config.robots_sitemaps else [])))
            found.append(
                OriginPlan(
                    origin,
                    f"{rules.status} ({rules.detail})" if rules.detail else rules.status,
                    politeness.delay_of(host_of(origin + "/")),
                    tuple((url, rules.allows(url)) for url in crawler.seeds if origin_of(url) == origin),
                    tuple(_count(client, crawler, url) for url in sitemaps),
                )
            )
    finally:
        client.close()
    return found


def _count(client: Fetcher, crawler: Crawler, url: str) -> tuple[str, int, str]:
    cap = crawler.limits.sitemap_bytes
    answer = client.fetch(url, max_bytes=cap, max_wire_bytes=cap)
    if isinstance(answer, Failure):
        return url, 0, answer.detail
    if not 200 <= answer.status < 300:
        return url, 0, f"HTTP {answer.status}"
    sitemap = parse_sitemap(url, answer.body, crawler.limits)
    return url, len(sitemap.pages) + len(sitemap.sitemaps), sitemap.problem
