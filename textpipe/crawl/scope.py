"""Which URLs belong to a crawl.

What enters: a canonical URL and its depth. What leaves: ``""``, or the reason it is not fetched: ``scope``,
``excluded``, ``not-included``, ``depth``, or one of :func:`~textpipe.crawl.urls.url_problem`. The hosts of the scope
are those of the seeds, and those a seed redirects to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from textpipe.crawl.settings import CrawlConfig
from textpipe.crawl.urls import host_of, site_of, url_problem
from textpipe.limits import DEFAULT_LIMITS, Limits

__all__ = ["Scope"]


class Scope:
    """The border of a crawl."""

    def __init__(self, config: CrawlConfig, hosts: Iterable[str] = (), limits: Limits = DEFAULT_LIMITS) -> None:
        self._config = config
        self._limits = limits
        self._include = [re.compile(pattern) for pattern in config.include]
        self._exclude = [re.compile(pattern) for pattern in config.exclude]
        self._hosts: set[str] = set()
        self._sites: set[str] = set()
        for host in hosts:
            self.widen(host)

    def widen(self, host: str) -> bool:
        """Take a host in; returns whether it is new."""
        if host in self._hosts:
            return False
        self._hosts.add(host)
        if self._config.scope == "site":
            self._sites.add(site_of(host))
        return True

    def has_host(self, host: str) -> bool:
        """Whether the URLs of a host may belong."""
        if self._config.scope == "any" or host in self._hosts:
            return True
        return self._config.scope == "site" and site_of(host) in self._sites

    def problem(self, url: str, depth: int) -> str:
        """The reason a URL does not belong, or ``""``."""
        if not self.has_host(host_of(url)):
            return "scope"
        if problem := url_problem(url, self._limits):
            return problem
        if any(pattern.search(url) for pattern in self._exclude):
            return "excluded"
        # A seed is fetched for its links even where its own address is not of the wanted form.
        if depth > 0 and self._include and not any(pattern.search(url) for pattern in self._include):
            return "not-included"
        return "depth" if depth > self._config.max_depth else ""
