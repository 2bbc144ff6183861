"""What an answer means for the URL that was asked for.

What enters: a :class:`~textpipe.crawl.fetch.Response` or a :class:`~textpipe.crawl.fetch.Failure`, and how often the
URL was tried. What leaves: a :class:`Verdict`: the state and reason of the URL, whether the host is to blame, whether
the exchange is archived, and where it redirects to. Nothing is done here; the crawler acts on it.

    done      ok, truncated (a cap, or a body that stayed incomplete), redirect; the crawler turns ok into revisit
              (the same bytes are stored) or sitemap (a list of URLs, not kept as a page)
    failed    http-404 …, dns, connect, tls, timeout, disconnect, protocol, headers, encoding, bomb, robots-unreachable
    skipped   content-type, address (refused by the guard); and those of scope.py, robots, redirects, sitemap-depth
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from textpipe.crawl.fetch import Failure, Fetched, Response
from textpipe.crawl.urls import join_url

__all__ = ["PASSING", "Verdict", "is_list_type", "is_page_type", "judge"]

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PASSING_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504, 522, 524})
_PAGE_STATUS = frozenset({408, 425, 500})  # of these, the ones that say nothing about the site's other pages
_PAGE_TYPES = frozenset({"text/html", "application/xhtml+xml", "text/plain"})
_LIST_TYPES = frozenset({"application/xml", "text/xml", "application/rss+xml", "application/atom+xml"})
_UNTOLD_TYPES = frozenset({"", "application/octet-stream", "unknown/unknown"})  # the body decides

# Failures that another day may not bring.
PASSING = (
    *("dns", "connect", "timeout", "disconnect", "robots-unreachable"),
    *(f"http-{status}" for status in sorted(_PASSING_STATUS)),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """See the module's head. ``state`` ``queued`` asks for another try."""

    state: str
    reason: str
    detail: str = ""
    is_hosts_fault: bool = False
    is_archived: bool = False
    redirect_to: str = ""


def is_page_type(status: int, headers: Mapping[str, str]) -> bool:
    """Whether a body is worth reading: any that is no success is short and is kept, a picture is not."""
    if not 200 <= status < 300:
        return True
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type in _PAGE_TYPES or media_type in _UNTOLD_TYPES or media_type in _LIST_TYPES


def is_list_type(response: Response) -> bool:
    """Whether an answer may be a sitemap or a feed: read for its URLs, not kept as a page."""
    return response.content_type in _LIST_TYPES


def judge(fetched: Fetched, *, num_tries: int, max_tries: int) -> Verdict:
    """Decide what became of a URL; ``num_tries`` counts this one."""
    may_retry = num_tries < max_tries
    if isinstance(fetched, Failure):
        if fetched.reason == "address":
            return Verdict("skipped", "address", fetched.detail)
        state = "queued" if fetched.retry and may_retry else "failed"
        return Verdict(state, fetched.reason, fetched.detail, is_hosts_fault=fetched.retry)
    if 200 <= fetched.status < 300:
        return _judge_success(fetched, may_retry)
    if fetched.status in _REDIRECTS and (target := join_url(fetched.url, fetched.header("location"))):
        return Verdict("done", "redirect", detail=target, is_archived=True, redirect_to=target)
    reason = f"http-{fetched.status}"
    if fetched.status in _PASSING_STATUS:
        state = "queued" if may_retry else "failed"
        is_hosts_fault = fetched.status not in _PAGE_STATUS
        return Verdict(state, reason, is_hosts_fault=is_hosts_fault, is_archived=not may_retry)
    return Verdict("failed", reason, is_archived=True)


def _judge_success(response: Response, may_retry: bool) -> Verdict:
    if response.truncated == "unspecified":
        return Verdict("skipped", "content-type", detail=response.content_type)
    if response.content_type in _UNTOLD_TYPES and b"\x00" in response.body[:1024]:
        return Verdict("skipped", "content-type", detail="binary, by its first bytes")
    if response.truncated in ("time", "disconnect"):
        if may_retry:
            return Verdict("queued", response.truncated)
        # Some servers always promise more bytes than they send; browsers show what came, and so it is kept.
        return Verdict("done", "truncated", detail=response.truncated, is_archived=True)
    if response.truncated:
        return Verdict("done", "truncated", detail=response.truncated, is_archived=True)
    return Verdict("done", "ok", is_archived=True)
