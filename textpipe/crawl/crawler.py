"""The crawl: seeds in, an archive of pages out.

What enters: a :class:`~textpipe.crawl.settings.CrawlConfig` and a folder. What leaves: ``warc/*.warc.gz``,
``frontier.sqlite`` and, when a run ends, ``manifest.json``. Threads fetch and parse; one thread, the caller's, decides
and writes. Once a second what was fetched is made durable, archive first, frontier second; a run that is killed loses
what came after that and fetches it again. The same command again goes on where the last run stopped.
"""

from __future__ import annotations

import errno
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from textpipe.crawl.fetch import Fetcher, RequestsFetcher
from textpipe.crawl.guard import Guard
from textpipe.crawl.interrupt import Interrupt
from textpipe.crawl.politeness import Politeness
from textpipe.crawl.run import CrawlResult, Run
from textpipe.crawl.settings import CrawlConfig
from textpipe.crawl.urls import canonical_url, host_of
from textpipe.errors import ConfigError
from textpipe.files import lock_directory, remove_temporaries
from textpipe.limits import DEFAULT_LIMITS, Limits

__all__ = ["CrawlResult", "Crawler", "crawl"]

Report = Callable[..., None]


class Crawler:
    """One crawl folder.

    Parameters
    ----------
    config : what to fetch and how.
    out : the crawl's folder; made if absent, continued if it holds a crawl with the same shaping settings.
    fetcher : the HTTP client; :class:`~textpipe.crawl.fetch.RequestsFetcher` unless a test brings its own.
    report : called as ``report("crawl", done, total, unit=…, **facts)``, often.

    Raises
    ------
    ConfigError
        when there is nothing to begin with, or nobody to contact about a crawl of the public web.
    InputError
        when a seed is not a URL.
    """

    def __init__(
        self,
        config: CrawlConfig,
        out: str | Path,
        *,
        fetcher: Fetcher | None = None,
        report: Report | None = None,
        limits: Limits = DEFAULT_LIMITS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.config = config
        self.out = Path(out)
        self.limits = limits
        self.clock = clock
        self.report = report or (lambda *args, **facts: None)
        self.guard = Guard(allow_private=config.allow_private)
        self.seeds = [canonical_url(url) for url in config.seeds]
        self.sitemaps = [canonical_url(url) for url in config.sitemaps]
        self._require_contact()
        self._fetcher = fetcher

    def _require_contact(self) -> None:
        if not self.seeds and not self.sitemaps:
            raise ConfigError("nothing to crawl", hint="name a URL, or a sitemap")
        if self.config.contact is not None:
            return
        hosts = {host_of(url) for url in (*self.seeds, *self.sitemaps)}
        if self.config.allow_private and all(self._is_private(host) for host in hosts):
            return
        raise ConfigError(
            "a crawl needs a contact, so that a site's owner can reach you",
            where="contact",
            hint="give an address such as you@example.org or https://example.org/about-our-crawler",
        )

    def _is_private(self, host: str) -> bool:
        name, _, port = host.rpartition(":")
        return self.config.allow_private and self.guard.is_private(name if name and port.isdigit() else host)

    def run(self) -> CrawlResult:
        """Crawl until nothing is left, a limit is reached, or Ctrl-C.

        Raises
        ------
        StateError
            when the folder belongs to another process, or to a crawl with other settings.
        KeyboardInterrupt
            after Ctrl-C, with everything fetched written.
        """
        with lock_directory(self.out):
            remove_temporaries(self.out)
            with _disk_errors(self.out), Interrupt() as interrupt:
                result = Run(self, interrupt).run()
            if interrupt.is_set:
                raise KeyboardInterrupt
            return result

    def make_fetcher(self) -> Fetcher:
        """The HTTP client of a run."""
        return self._fetcher or RequestsFetcher(
            self.config.user_agent, guard=self.guard, limits=self.limits, pool_size=self.config.concurrency
        )

    def make_politeness(self) -> Politeness:
        """The hosts' clocks of a run."""
        return Politeness(
            self.config.delay_s,
            clock=self.clock,
            is_private=self._is_private,
            per_host=self.config.per_host,
            seed=self.config.random_seed,
            limits=self.limits,
        )


def crawl(seeds: str | list[str], out: str | Path, **settings: Any) -> CrawlResult:
    """Crawl ``seeds`` into ``out``; ``settings`` are the keys of :class:`~textpipe.crawl.settings.CrawlConfig`.

    >>> crawl("http://127.0.0.1:8000/", "crawl", allow_private=True, delay_s=0)  # doctest: +SKIP
    """
    urls = (seeds,) if isinstance(seeds, str) else tuple(seeds)
    return Crawler(CrawlConfig(seeds=urls, **settings), out).run()


@contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    """SQLite reports a full or failing disk in its own class; callers expect OSError."""
    try:
        yield
    except sqlite3.OperationalError as error:
        number = errno.ENOSPC if "full" in str(error) else errno.EIO
        raise OSError(number, f"the frontier cannot be written: {error}", str(folder)) from error
