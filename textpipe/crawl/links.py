"""The links of an HTML page.

What enters: a :class:`~textpipe.crawl.fetch.Response`. What leaves: canonical URLs in the order of the page, feeds
aside, and how many links it asks not to follow. ``<base href>``, ``rel=nofollow``, ``X-Robots-Tag`` and meta robots
(``nofollow``, ``none``), meta refresh and ``rel=canonical`` count. Links are resolved in the page's own encoding.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import lxml.etree
import w3lib.encoding

from textpipe.crawl.fetch import Response
from textpipe.crawl.urls import join_url

__all__ = ["PageLinks", "page_links"]

_HTML_TYPES = frozenset({"", "text/html", "application/xhtml+xml"})
_FEED_TYPES = frozenset({"application/rss+xml", "application/atom+xml"})
_NOT_FOLLOWED = re.compile(r"\b(nofollow|none)\b", re.IGNORECASE)
_REFRESH_URL = re.compile(r"url\s*=\s*['\"]?([^'\"]+)", re.IGNORECASE)
_TAGS = ("a", "area", "frame", "iframe", "link", "meta")
_BOMS = {"utf-8": b"\xef\xbb\xbf", "utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}


@dataclass(frozen=True, slots=True)
class PageLinks:
    """What a page links to. ``num_nofollow`` counts the links it asks not to follow, which are in no list."""

    links: tuple[str, ...] = ()
    feeds: tuple[str, ...] = ()
    num_nofollow: int = 0


def page_links(response: Response) -> PageLinks:
    """Find the links of ``response``; none when it is not HTML.

    Notes
    -----
    Time is linear in the page. libxml2 stops at 256 levels of nesting: links below are not seen.
    """
    if response.content_type not in _HTML_TYPES or not response.body:
        return PageLinks()
    encoding = _encoding_of(response)
    body = response.body
    if encoding != "utf-8":
        body = body.decode(encoding, "replace").encode("utf-8", "replace")
    parser = lxml.etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
    try:
        root = lxml.etree.fromstring(body, parser)
    except (lxml.etree.XMLSyntaxError, ValueError):  # nothing but blanks or comments
        return PageLinks()
    if root is None:
        return PageLinks()
    robots = [value for name, value in response.headers if name.lower() == "x-robots-tag"]
    return _Collector(response.url, encoding, " ".join(robots)).collect(root)


def _encoding_of(response: Response) -> str:
    """UTF-8 where the bytes are UTF-8 (which other encodings hardly ever are by chance), else what is declared."""
    for name, bom in _BOMS.items():
        if response.body.startswith(bom):
            return name
    try:
        response.body.decode("utf-8")
    except UnicodeDecodeError:
        declared = w3lib.encoding.http_content_type_encoding(response.header("content-type"))
        declared = declared or w3lib.encoding.html_body_declared_encoding(response.body)
        return declared if declared and declared != "utf-8" else "cp949"
    return "utf-8"


class _Collector:
    def __init__(self, url: str, encoding: str, robots: str) -> None:
        self.base = url
        self.encoding = encoding
        self.page_nofollow = bool(_NOT_FOLLOWED.search(robots))
        self.links: dict[str, bool] = {}  # URL → may be followed
        self.feeds: dict[str, None] = {}

    def collect(self, root: Any) -> PageLinks:
        first = next((element for element in root.iter("base") if element.get("href")), None)
        if first is not None:  # as in browsers, the first one counts, for the links before it too
            self.base = join_url(self.base, first.get("href")) or self.base
        for element in root.iter(*_TAGS):
            getattr(self, "_on_" + element.tag)(element)
        followed = [] if self.page_nofollow else [url for url, follow in self.links.items() if follow]
        return PageLinks(tuple(followed), tuple(self.feeds), len(self.links) - len(followed))

    def _add(self, reference: str | None, *, follow: bool = True) -> None:
        url = join_url(self.base, reference, self.encoding) if reference else None
        if url:
            self.links[url] = follow or self.links.get(url, False)

    def _on_a(self, element: Any) -> None:
        self._add(element.get("href"), follow="nofollow" not in (element.get("rel") or "").lower())

    _on_area = _on_a

    def _on_frame(self, element: Any) -> None:
        self._add(element.get("src"))

    _on_iframe = _on_frame

    def _on_link(self, element: Any) -> None:
        rel = (element.get("rel") or "").lower().split()
        if "canonical" in rel or "next" in rel or "prev" in rel:
            self._add(element.get("href"))
        elif "alternate" in rel and (element.get("type") or "").lower() in _FEED_TYPES:
            url = join_url(self.base, element.get("href") or "")
            if url:
                self.feeds[url] = None
        elif "alternate" in rel and element.get("hreflang"):
            self._add(element.get("href"))

    def _on_meta(self, element: Any) -> None:
        content = element.get("content") or ""
        name = (element.get("name") or "").lower()
        if name in ("robots", "textpipe"):
            self.page_nofollow = self.page_nofollow or bool(_NOT_FOLLOWED.search(content))
        elif (element.get("http-equiv") or "").lower() == "refresh" and (target := _REFRESH_URL.search(content)):
            self._add(target.group(1).strip())
