"""Sitemaps and feeds: what a site says it has.

What enters: the body of a ``sitemap.xml`` (also an index, also gzip), a list of URLs as plain text, an RSS or an Atom
feed. What leaves: the pages and the further sitemaps it names, in order. XML that declares a document type or entities
is refused unread; sizes and counts are capped, and reaching a cap is told with what was found before it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import lxml.etree

from textpipe.crawl.inflate import inflate_gzip, is_gzip
from textpipe.crawl.urls import join_url
from textpipe.errors import InputError, LimitError
from textpipe.limits import DEFAULT_LIMITS, Limits

__all__ = ["Sitemap", "parse_sitemap"]

_DECLARATION = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
_XML_START = re.compile(rb"\s*(\xef\xbb\xbf)?\s*<")


@dataclass(frozen=True, slots=True)
class Sitemap:
    """What one file names. ``problem`` is why it was not read to its end, or ``""``."""

    pages: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()
    problem: str = ""


def parse_sitemap(url: str, body: bytes, limits: Limits = DEFAULT_LIMITS) -> Sitemap:
    """Read a sitemap, a sitemap index, a URL list or a feed found at ``url``."""
    try:
        if is_gzip(body):
            body = inflate_gzip(body, limits.sitemap_bytes, limits)
    except (LimitError, InputError) as error:
        return Sitemap(problem=str(error))
    if len(body) > limits.sitemap_bytes:
        return Sitemap(problem=f"larger than {limits.sitemap_bytes} bytes")
    if not _XML_START.match(body[:64]) and b"\x00" not in body[:4]:
        return _parse_text(url, body, limits)
    return _parse_xml(url, body, limits)


def _parse_text(url: str, body: bytes, limits: Limits) -> Sitemap:
    lines = body.decode("utf-8-sig", "replace").split()
    pages = [join_url(url, line) for line in lines[: limits.sitemap_urls] if line.startswith(("http://", "https://"))]
    problem = f"more than {limits.sitemap_urls} URLs" if len(lines) > limits.sitemap_urls else ""
    if lines and not pages:
        problem = "neither XML nor a list of URLs"
    return Sitemap(tuple(dict.fromkeys(page for page in pages if page)), problem=problem)


def _parse_xml(url: str, body: bytes, limits: Limits) -> Sitemap:
    # UTF-16 would hide the declaration from the search, so it is looked for in both forms.
    if _DECLARATION.search(body[:4096].replace(b"\x00", b"")) or _DECLARATION.search(body):
        return Sitemap(problem="it declares a document type or entities")
    pages: dict[str, None] = {}
    sitemaps: dict[str, None] = {}
    reader = lxml.etree.XMLPullParser(
        events=("end",), resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False
    )
    try:
        for start in range(0, len(body), 1 << 16):
            reader.feed(body[start : start + (1 << 16)])
            for _, element in reader.read_events():
                if isinstance(element, lxml.etree._Element):
                    _take(url, element, pages, sitemaps)
                if len(pages) + len(sitemaps) > limits.sitemap_urls:
                    return Sitemap(tuple(pages), tuple(sitemaps), f"more than {limits.sitemap_urls} URLs")
        reader.close()
    except lxml.etree.XMLSyntaxError as error:
        return Sitemap(tuple(pages), tuple(sitemaps), f"not XML: {error.msg}")
    return Sitemap(tuple(pages), tuple(sitemaps))


def _take(url: str, element: lxml.etree._Element, pages: dict[str, None], sitemaps: dict[str, None]) -> None:
    """Keep the URL of an element that has just ended, and free what is behind it."""
    if not isinstance(element.tag, str):
        return
    name = lxml.etree.QName(element).localname.lower()
    parent = element.getparent()
    inside = lxml.etree.QName(parent).localname.lower() if parent is not None and isinstance(parent.tag, str) else ""
    target = None
    if (name, inside) in (("loc", "url"), ("loc", "sitemap"), ("link", "item")):
        target = join_url(url, element.text or "")
    elif name == "link" and inside == "entry" and element.get("rel", "alternate") == "alternate":
        target = join_url(url, element.get("href", ""))
    if target:
        (sitemaps if inside == "sitemap" else pages)[target] = None
    if name in ("url", "sitemap", "item", "entry"):
        element.clear()
        while element.getprevious() is not None and parent is not None:
            del parent[0]
