"""Which URLs belong to a crawl.

What enters: a canonical URL and its depth. What leaves: ``""``, or the reason it is not fetched: ``scope``,
``excluded``, ``not-included``, ``depth``, or one of :func:`~textpipe.crawl.urls.url_problem`. The hosts of the scope
are those of the seeds, and those of the same site that a seed redirects to (``example.kr`` to ``www.example.kr``). A
seed that redirects to another site is fetched there, but that site is not taken in: it may be a log-in page.
"""

from __future__ import annotations

import re

from textpipe.crawl.settings import CrawlConfig
from textpipe.crawl.urls import host_of, site_of, url_problem
from textpipe.limits import DEFAULT_LIMITS, Limits

__all__ = ["Scope"]


class Scope:
    """The border of a crawl."""

    def __init__(self, config: CrawlConfig, limits: Limits = DEFAULT_LIMITS) -> None:
        self._config = config
        self._limits = limits
        self._include = [re.compile(pattern) for pattern in config.include]
        self._exclude = [re.compile(pattern) for pattern in config.exclude]
        self._hosts: set[str] = set()
        self._sites: set[str] = set()

    def add_host(self, host: str) -> bool:
        """Take in a seed's host; returns whether it is new."""
        is_new = host not in self._hosts
        self._hosts.add(host)
        self._sites.add(site_of(host))
        return is_new

    def add_moved(self, host: str) -> bool:
        """Take in a host that a seed redirects to, if it is of a seed's site; returns whether it is taken in anew."""
        return site_of(host) in self._sites and self.add_host(host)

    def has_host(self, host: str) -> bool:
        """Whether the URLs of a host may belong."""
        if self._config.scope == "any" or host in self._hosts:
            return True
        return self._config.scope == "site" and site_of(host) in self._sites

    def problem(self, url: str, depth: int, *, is_seed: bool = False) -> str:
        """The reason a URL does not belong, or ``""``; a seed, or what it redirects to, may be anywhere."""
        if not is_seed and not self.has_host(host_of(url)):
            return "scope"
        if problem := url_problem(url, self._limits):
            return problem
        if any(pattern.search(url) for pattern in self._exclude):
            return "excluded"
        # A seed is fetched for its links even where its own address is not of the wanted form.
        if depth > 0 and self._include and not any(pattern.search(url) for pattern in self._include):
            return "not-included"
        return "depth" if depth > self._config.max_depth else ""
