"""The bundled web site on loopback, as its manifest says it behaves.

What enters: the bundled folder. What leaves: its pages, redirects, errors and delays over HTTP, and a record of every
request. It promises to send the stored bytes, with two exceptions: the placeholder origin becomes the server's own
address, and the options can shorten what would make a test or the demo wait.
"""

from __future__ import annotations

import datetime
import email.utils
import fnmatch
import gzip
import hashlib
import posixpath
import re
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

from textpipe.testing.bundled import PageTruth, ServerRule, SiteTruth, read_truth
from textpipe.testing.loopback import LoopbackServer, RecordedRequest, Reply

__all__ = ["SiteServer"]

MEDIA_TYPES = {
    ".html": "text/html",
    ".xml": "application/xml",
    ".txt": "text/plain; charset=utf-8",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".csv": "text/csv; charset=utf-8",
}
# Parameters that only say where a visitor came from: the page is the same without them, as on real sites.
_TRACKING = re.compile(r"^(utm_\w+|fbclid|gclid)(=|$)")
_PERCENT = re.compile(r"%[0-9a-f]{2}", re.IGNORECASE)
_MONTH = re.compile(r"^/calendar/(\d{4})/(\d{2})/$")
_NOT_FOUND = "404.html"


class SiteServer(LoopbackServer):
    """Serve the bundled site on ``http://127.0.0.1:PORT`` while in a ``with`` statement.

    Parameters
    ----------
    folder : where ``MANIFEST.toml`` lies; the bundled site by default.
    host : ``127.0.0.1`` or ``localhost``: the name the pages' own links use.
    delay_s : the longest that a slow page may wait; None as the manifest declares.
    crawl_delay_s : replaces the Crawl-delay of robots.txt; None keeps it.
    retry_after_s : replaces the Retry-After of busy pages; None keeps it.
    port : the port to listen on; 0 takes a free one.

    Attributes
    ----------
    truth : SiteTruth
        the manifest.
    requests : list of RecordedRequest
        every request so far.

    Examples
    --------
    >>> with SiteServer(delay_s=0, crawl_delay_s=0) as site:
    ...     site.sitemap_url.endswith("/sitemap.xml")
    True
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        host: str = "127.0.0.1",
        delay_s: float | None = None,
        crawl_delay_s: float | None = None,
        retry_after_s: int | None = None,
        port: int = 0,
    ) -> None:
        super().__init__(port=port)
        self.host = host
        self.truth: SiteTruth = read_truth(folder)
        self._delay_s = delay_s
        self._crawl_delay_s = crawl_delay_s
        self._retry_after_s = retry_after_s
        self._pages = {page.path: page for page in self.truth.pages}
        self._files = {path.removeprefix("site/") for path in self.truth.sha256 if path.startswith("site/")}
        self._answered: Counter[str] = Counter()

    def url(self, path: str = "/") -> str:
        """Return the absolute URL of ``path``."""
        return f"http://{self.host}:{self.port}{path}"

    @property
    def seed_urls(self) -> list[str]:
        """The front pages, Korean first."""
        return [self.url("/ko/"), self.url("/en/")]

    @property
    def sitemap_url(self) -> str:
        """The sitemap index."""
        return self.url("/sitemap.xml")

    def reply_to(self, request: RecordedRequest) -> Reply:
        """Return what the manifest declares for ``request``."""
        target = canonical_target(request.path)
        rules = [rule for rule in self.truth.rules if _applies(rule, target)]
        for rule in rules:
            if rule.status and (not rule.times or self._answered[rule.path or rule.glob] < rule.times):
                self._answered[rule.path or rule.glob] += 1
                return self._status(rule)
        page = self._pages.get(target)
        file = next((rule.file for rule in rules if rule.file), "")
        file = file or (page.file.removeprefix("site/") if page else target.removeprefix("/"))
        if file not in self._files:
            if f"{target}/" in self._pages:
                return Reply(b"", status=301, headers={"Location": f"{target}/"})
            return self._status(ServerRule(status=404))
        return self._with_rules(self._file(file, target, page), rules, request)

    def _status(self, rule: ServerRule) -> Reply:
        headers = dict(rule.headers or {})
        if self._retry_after_s is not None and "Retry-After" in headers:
            headers["Retry-After"] = str(self._retry_after_s)
        if rule.location:
            return Reply(b"", status=rule.status, headers=headers | {"Location": rule.location})
        page = self._file(_NOT_FOUND, f"/{_NOT_FOUND}", None)
        return Reply(page.body, status=rule.status, headers=dict(page.headers) | headers)

    def _file(self, file: str, target: str, page: PageTruth | None) -> Reply:
        body = (self.truth.folder / "site" / file).read_bytes()
        kind = MEDIA_TYPES[posixpath.splitext(file)[1]]
        headers = {"Content-Type": kind}
        if page is not None and page.declared_http:
            headers["Content-Type"] = f"{kind}; charset={page.declared_http}"
        if page is not None and page.date is not None:
            changed = datetime.datetime.combine(page.date, datetime.time(9), datetime.UTC)
            headers["Last-Modified"] = email.utils.format_datetime(changed, usegmt=True)
        if month := _MONTH.match(target):
            body = _month(body, int(month[1]), int(month[2]))
        if file == "robots.txt" and self._crawl_delay_s is not None:
            body = re.sub(rb"(?m)^Crawl-delay: .*$", f"Crawl-delay: {self._crawl_delay_s:g}".encode(), body)
        if "svg" not in kind:
            body = self._with_own_origin(body)
        headers["ETag"] = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
        return Reply(body, headers=headers)

    def _with_own_origin(self, body: bytes) -> bytes:
        own = self.url("")
        origin = self.truth.origin
        return body.replace(origin.encode(), own.encode()).replace(origin.upper().encode(), own.upper().encode())

    def _with_rules(self, reply: Reply, rules: list[ServerRule], request: RecordedRequest) -> Reply:
        headers, body = dict(reply.headers), bytes(reply.body)  # type: ignore[arg-type]
        delay_s, send_bytes = 0.0, None
        for rule in rules:
            headers |= {} if rule.status else dict(rule.headers or {})
            delay_s = max(delay_s, rule.delay_s if self._delay_s is None else min(rule.delay_s, self._delay_s))
            if rule.gzip:
                body = gzip.compress(body, mtime=0)
                headers |= {"Content-Encoding": "gzip"} if rule.gzip == "encoding" else {}
                headers["Content-Type"] = headers["Content-Type"] if rule.gzip == "encoding" else "application/gzip"
            if rule.keep < 1:
                send_bytes = int(len(body) * rule.keep)
        if request.headers.get("if-none-match") == headers["ETag"] and send_bytes is None:
            return Reply(b"", status=304, headers={"ETag": headers["ETag"]})
        return Reply(body, headers=headers, delay_s=delay_s, send_bytes=send_bytes)


def canonical_target(target: str) -> str:
    """Return the path and query under which the manifest knows a request target.

    >>> canonical_target("/ko/a/../b.html?utm_source=x&idx=1#top")
    '/ko/b.html?idx=1'
    """
    parts = urlsplit(target.partition("#")[0])
    path = posixpath.normpath(parts.path) if "/." in parts.path else parts.path
    path = _PERCENT.sub(lambda match: match[0].upper(), path)
    if parts.path.endswith("/") and not path.endswith("/"):
        path += "/"
    query = "&".join(field for field in parts.query.split("&") if field and not _TRACKING.match(field))
    return path + (f"?{query}" if query else "")


def _applies(rule: ServerRule, target: str) -> bool:
    return rule.path == target if rule.path else fnmatch.fnmatchcase(target, rule.glob)


def _month(body: bytes, year: int, month: int) -> bytes:
    """Fill the calendar page: every month names its neighbours, for ever."""
    previous = (year - 1, 12) if month <= 1 else (year, month - 1)
    following = (year + 1, 1) if month >= 12 else (year, month + 1)
    words = {"YEAR": f"{year}", "MONTH": f"{month}"}
    words |= {"PREVIOUS": "{:04}/{:02}".format(*previous), "NEXT": "{:04}/{:02}".format(*following)}
    for name, word in words.items():
        body = body.replace(f"@{name}@".encode(), word.encode())
    return body
