"""One run of a crawl: the loop that decides and writes.

What enters: a crawler's settings and folder. What leaves: an archive and a frontier that agree. Threads fetch and
parse; the thread of :meth:`Run.run` alone leases URLs, judges answers, writes records and commits. A commit makes the
archive durable first and the frontier second, so a kill at any instant leaves at most records that no row knows of, and
those are cut off at the next start.
"""

from __future__ import annotations

import concurrent.futures
import queue
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textpipe.crawl.archive import Archive, Stored, payload_digest
from textpipe.crawl.exchange import Answer, fetch_item
from textpipe.crawl.fetch import Fetched, Response
from textpipe.crawl.frontier import Frontier, Link, Outcome, QueuedUrl
from textpipe.crawl.interrupt import Interrupt
from textpipe.crawl.politeness import retry_after_s
from textpipe.crawl.robots import Rules, fetch_rules
from textpipe.crawl.schedule import Schedule
from textpipe.crawl.scope import Scope
from textpipe.crawl.urls import host_of, origin_of
from textpipe.crawl.verdict import PASSING, Verdict, judge
from textpipe.files import write_manifest

if TYPE_CHECKING:
    from textpipe.crawl.crawler import Crawler

__all__ = ["CrawlResult", "Run"]

_COMMIT_EVERY_S = 1.0
_ROBOTS_KEPT_S = 24 * 3600.0  # RFC 9309 §2.4
_LOOK_EVERY_S = 0.25  # how soon Ctrl-C is noticed while nothing comes in
_ROBOTS_TRIES = 3
_NOTED_WAIT_S = 5.0  # a wait this long is kept for the next run


@dataclass(frozen=True, slots=True)
class CrawlResult:
    """How a run ended.

    ``num_pages`` counts the pages in the archive after all runs. ``is_complete`` is False when URLs are left: the page
    limit was reached, or the hosts in ``waiting`` (host → seconds) asked for more patience than configured.
    """

    out: Path
    num_pages: int
    seconds: float
    is_complete: bool
    counts: Mapping[str, Mapping[str, int]] = field(repr=False)
    waiting: Mapping[str, float] = field(default_factory=dict)


class Run:
    """One run: the state between its first and its last commit."""

    def __init__(self, crawler: Crawler, interrupt: Interrupt) -> None:
        self.config = crawler.config
        self.limits = crawler.limits
        self.clock = crawler.clock
        self.crawler = crawler
        self.interrupt = interrupt
        self.report = crawler.report
        self.politeness = crawler.make_politeness()
        self.schedule = Schedule(self.politeness)
        self.rules: dict[str, tuple[Rules, float]] = {}  # origin → rules, when they were read
        self.robots_tries: dict[str, int] = {}
        self.answers: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self.under_way: dict[str, QueuedUrl | None] = {}  # URL or robots origin → what is being fetched
        self.started = time.monotonic()
        self.committed = self.started

    def run(self) -> CrawlResult:
        self.frontier = Frontier(self.crawler.out / "frontier.sqlite")
        try:
            self.frontier.agree_on(self.config.shaping())
            info = {
                "software": self.config.user_agent,
                "format": "WARC File Format 1.1",
                "conformsTo": "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
                "robots": "RFC 9309",
            }
            self.archive = Archive(self.crawler.out / "warc", info=info, sizes=self.frontier.archive_sizes())
            try:
                self._begin()
                self._fetch_all()
                return self._end()
            finally:
                self.archive.close()
        finally:
            self.frontier.close()

    # -- beginning and end ---------------------------------------------------------------------------------------

    def _begin(self) -> None:
        for host, next_at in self.frontier.host_times().items():
            self.politeness.host(host).next_at = next_at
        self.scope = Scope(self.config, self.limits)
        for host, is_seed in self.frontier.seed_hosts().items():
            (self.scope.add_host if is_seed else self.scope.add_moved)(host)
        new = [host_of(url) for url in (*self.crawler.seeds, *self.crawler.sitemaps)]
        new = [host for host in dict.fromkeys(new) if self.scope.add_host(host)]
        self._add([Link(url, 0, kind="sitemap") for url in self.crawler.sitemaps])
        self._add([Link(url, 0) for url in self.crawler.seeds])
        for host in new:
            self._reconsider(host)
        if self.config.retry_failed:
            self.frontier.requeue_failed(PASSING)
        self.num_pages = self.frontier.num_pages()
        for host in self.frontier.waiting_hosts():
            self.schedule.join(host)
        self._commit()

    def _end(self) -> CrawlResult:
        now = self.clock()
        self._commit()
        self.archive.finish_file()
        counts = self.frontier.counts()
        left = counts["by_state"].get("queued", 0)
        waiting = {host: max(0.0, at - now) for host, at in self.schedule.waiting().items() if at > now}
        seconds = time.monotonic() - self.started
        result = CrawlResult(self.crawler.out, self.num_pages, seconds, left == 0, counts, waiting if left else {})
        write_manifest(
            self.crawler.out,
            kind="crawl",
            files=[f"warc/{name}" for name in self.frontier.archive_sizes()],
            counts={**counts, "is_complete": result.is_complete, "last_run_s": round(seconds, 3)},
            config=self.config.model_dump(mode="json"),
        )
        return result

    def _commit(self) -> None:
        """Archive first: a record without a row is cut off at the next start, a row without a record would be a lie."""
        if synced := self.archive.sync():
            self.frontier.save_archive_size(*synced)
        self.frontier.commit()
        if self.archive.is_full:
            self.archive.finish_file()
        self.committed = time.monotonic()

    # -- the loop ------------------------------------------------------------------------------------------------

    def _fetch_all(self) -> None:
        self.fetcher = self.crawler.make_fetcher()
        self.pool = concurrent.futures.ThreadPoolExecutor(self.config.concurrency, thread_name_prefix="crawl")
        try:
            while not self.interrupt.is_set and (self._start_some() or self.under_way):
                self._take_answers(self._pause_s())
                if time.monotonic() - self.committed >= _COMMIT_EVERY_S:
                    self._commit()
                self._tell()
            self._drain()
        finally:
            self.fetcher.abort()
            self.pool.shutdown(wait=True)
            self.fetcher.close()

    def _drain(self) -> None:
        """After Ctrl-C: what is about to come in is kept, the rest is cut and queued again."""
        end = time.monotonic() + 1.0
        while self.under_way and time.monotonic() < end and not self.interrupt.is_repeated:
            self._take_answers(0.1)
        self.fetcher.abort()
        for item in self.under_way.values():
            if item is not None:
                self.frontier.release(item)
        self.under_way.clear()

    def _start_some(self) -> bool:
        """Start what may be started; returns whether there is something to come back for."""
        now = self.clock()
        while len(self.under_way) < self.config.concurrency and self._may_fetch():
            host = self.schedule.take(now)
            if host is None:
                break
            self._start(host)
        soonest = self.schedule.soonest()
        return self._may_fetch() and soonest is not None and soonest - now <= self.config.patience_s

    def _may_fetch(self) -> bool:
        if self.config.max_pages is None:
            return True
        return self.num_pages + sum(item is not None for item in self.under_way.values()) < self.config.max_pages

    def _pause_s(self) -> float:
        if len(self.under_way) >= self.config.concurrency or not self._may_fetch():
            return _LOOK_EVERY_S
        soonest = self.schedule.soonest()
        return _LOOK_EVERY_S if soonest is None else min(_LOOK_EVERY_S, max(0.0, soonest - self.clock()))

    def _start(self, host: str) -> None:
        """Begin the next request to a host, past what its robots.txt forbids."""
        while (item := self.frontier.next_of(host, self.clock())) is not None:
            origin = origin_of(item.url)
            rules = self._rules_of(origin)
            if rules is None:
                if origin not in self.under_way:
                    self._submit(origin, None, fetch_rules, self.fetcher, origin, self.limits)
                return
            if rules.status == "unreachable":
                self.frontier.settle(item, Outcome("failed", "robots-unreachable", rules.detail))
            elif not rules.allows(item.url):
                self.frontier.settle(item, Outcome("skipped", "robots"))
            else:
                self.frontier.lease(item)
                self._submit(item.url, item, fetch_item, self.fetcher, item, self.limits)
                self.schedule.join(host)
                return
        later = self.frontier.next_time_of(host)
        if later is not None:
            self.schedule.join(host, not_before=later)

    def _submit(self, name: str, item: QueuedUrl | None, work: Callable[..., Any], *arguments: Any) -> None:
        self.politeness.started(host_of(name if item else name + "/"))
        self.under_way[name] = item
        future = self.pool.submit(work, *arguments)
        future.add_done_callback(lambda done: self.answers.put((name, done)))

    def _take_answers(self, timeout_s: float) -> None:
        """Wait for one answer, then take all that are there."""
        try:
            name, future = self.answers.get(timeout=timeout_s) if timeout_s > 0 else self.answers.get_nowait()
            while True:
                item = self.under_way.pop(name)
                value = future.result()
                if item is None:
                    self._on_rules(value)
                else:
                    self._on_answer(item, value)
                name, future = self.answers.get_nowait()
        except queue.Empty:
            return

    def _tell(self) -> None:
        self.report("crawl", self.num_pages, self.config.max_pages, unit="pages", under_way=len(self.under_way))

    # -- robots.txt ----------------------------------------------------------------------------------------------

    def _rules_of(self, origin: str) -> Rules | None:
        """The rules of an origin as they were read in the last day, by this run or an earlier one."""
        oldest = self.clock() - _ROBOTS_KEPT_S
        if origin not in self.rules and (row := self.frontier.robots(origin)) is not None:
            self.rules[origin] = Rules(origin, *row[:3]), row[3]
            self.politeness.asked(host_of(origin + "/"), self.rules[origin][0].delay_s)
        rules, read_at = self.rules.get(origin, (None, oldest))
        return rules if read_at > oldest else None

    def _on_rules(self, rules: Rules) -> None:
        host = host_of(rules.origin + "/")
        if rules.status == "unreachable":
            self.robots_tries[rules.origin] = tries = self.robots_tries.get(rules.origin, 0) + 1
            self.politeness.failed(host, rules.origin)
            if tries >= _ROBOTS_TRIES or rules.detail.startswith("address"):
                self.rules[rules.origin] = rules, self.clock()  # for this run; the next one asks again
                self.politeness.host(host).next_at = self.clock()  # nothing will be asked of it
        else:
            self.politeness.answered(host, 0.0)
            self.rules[rules.origin] = rules, self.clock()
            self.frontier.save_robots(rules.origin, rules.status, rules.text, rules.detail, self.clock())
            self.politeness.asked(host, rules.delay_s)
            if self.config.robots_sitemaps and self.config.max_depth > 0 and self.scope.has_host(host):
                self._add(
                    [Link(url, 0, kind="sitemap", referrer=rules.origin + "/robots.txt") for url in rules.sitemaps]
                )
        self.schedule.join(host)

    # -- answers -------------------------------------------------------------------------------------------------

    def _on_answer(self, item: QueuedUrl, answer: Answer) -> None:
        num_tries = item.attempts + 1
        verdict = judge(answer.fetched, num_tries=num_tries, max_tries=self.config.retries + 1)
        not_before = self._on_host(host_of(item.url), item.url, answer.fetched, verdict)
        if verdict.state == "queued":
            not_before = max(not_before, self.clock() + self.politeness.back_off_s(num_tries))
            self.frontier.settle(item, Outcome("queued", verdict.reason, verdict.detail, not_before=not_before))
        elif answer.sitemap is not None or item.kind == "sitemap":
            self._settle_sitemap(item, answer, verdict)
        else:
            self._settle_page(item, answer, verdict)
        if verdict.redirect_to:
            self._add_redirect(item, verdict.redirect_to)
        self.schedule.join(host_of(item.url))

    def _on_host(self, host: str, url: str, fetched: Fetched, verdict: Verdict) -> float:
        """Tell the host's clock how it went; returns the time before which it is left alone."""
        response = fetched if isinstance(fetched, Response) else None
        if not verdict.is_hosts_fault:
            self.politeness.answered(
                host, response.latency_s if response else 0.0, is_error=verdict.state not in ("done", "skipped")
            )
        else:
            asked = retry_after_s(response.header("retry-after"), self.clock()) if response else None
            if self.politeness.failed(host, url, retry_after=asked) >= _NOTED_WAIT_S:
                self.frontier.save_host_time(host, self.politeness.host(host).next_at)
        return self.politeness.host(host).next_at

    def _settle_page(self, item: QueuedUrl, answer: Answer, verdict: Verdict) -> None:
        fetched, reason, location, digest = answer.fetched, verdict.reason, None, None
        if verdict.is_archived and isinstance(fetched, Response):
            stored = None
            if reason == "ok" and fetched.body:
                digest = payload_digest(fetched.body)
                if earlier := self.frontier.stored_with(digest):
                    stored, reason = Stored(*earlier), "revisit"
            location = self.archive.add(
                fetched,
                digest=digest or payload_digest(fetched.body),
                stored=stored,
                via=item.referrer,
                outlinks=answer.links.links,
            )
        if verdict.state == "done" and reason != "redirect":
            self.num_pages += 1
        self.frontier.settle(item, _outcome(verdict, reason, fetched, digest, location))
        if verdict.state == "done":
            links = [Link(url, item.depth + 1, referrer=item.url) for url in answer.links.links]
            self._add(links + [Link(url, 1, kind="sitemap", referrer=item.url) for url in answer.links.feeds])

    def _settle_sitemap(self, item: QueuedUrl, answer: Answer, verdict: Verdict) -> None:
        found = answer.sitemap
        if found is None:
            self.frontier.settle(item, _outcome(verdict, verdict.reason, answer.fetched, None, None))
            return
        reason = "sitemap" if verdict.reason == "ok" else verdict.reason
        self.frontier.settle(item, _outcome(verdict, reason, answer.fetched, None, None, detail=found.problem))
        level = item.depth if item.kind == "sitemap" else 0
        self._add([Link(url, level + 1, kind="sitemap", referrer=item.url) for url in found.sitemaps])
        # A sitemap's pages are as near as a seed; a feed that a page links to is one link further than that page.
        depth = 0 if item.kind == "sitemap" else item.depth + 1
        self._add([Link(url, depth, referrer=item.url) for url in found.pages])

    def _add_redirect(self, item: QueuedUrl, target: str) -> None:
        is_seed = item.depth == 0 and not item.referrer
        if is_seed and self.scope.add_moved(host_of(target)):
            self._reconsider(host_of(target))
        self._add([Link(target, item.depth, item.kind, item.redirects + 1, "" if is_seed else item.url)])

    def _add(self, links: list[Link]) -> None:
        judged = [Link(k.url, k.depth, k.kind, k.redirects, k.referrer, self._problem(k)) for k in links]
        self.frontier.add(judged)
        for host in {host_of(link.url) for link in judged if not link.reason}:
            self.schedule.join(host)

    def _problem(self, link: Link) -> str:
        if link.redirects > self.limits.redirects:
            return "redirects"
        if link.kind == "page":
            return self.scope.problem(link.url, link.depth, is_seed=link.depth == 0 and not link.referrer)
        if link.depth > self.limits.sitemap_depth:
            return "sitemap-depth"
        return "" if self.scope.has_host(host_of(link.url)) else "scope"

    def _reconsider(self, host: str) -> None:
        """A host has come into scope: judge again what was left out for that reason."""
        self.frontier.rejudge(host, "scope", self._problem)


def _outcome(
    verdict: Verdict, reason: str, fetched: Any, digest: str | None, location: Any, *, detail: str = ""
) -> Outcome:
    if not isinstance(fetched, Response):
        return Outcome(verdict.state, reason, verdict.detail)
    return Outcome(
        state=verdict.state,
        reason=reason,
        detail=verdict.detail or detail,
        status=fetched.status,
        content_type=fetched.content_type,
        num_bytes=len(fetched.body),
        digest=digest,
        location=location,
        fetched=fetched.fetched,
    )
