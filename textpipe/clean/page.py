"""Page → Document: the part of cleaning that knows HTTP and HTML.

What enters: a fetched page, or a file on disk dressed as one. What leaves: a document with the page's main text, its
title, dates, charset and place; or the document as far as it got, with the stage and reason it was dropped for. The
steps are ``fetch`` (status, type), ``decode``, ``optout`` and ``extract``; plain text goes past the last two.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

import xxhash

from textpipe.clean.decode import Decoded, Undecodable, decode
from textpipe.clean.extract import extract_text, parse_html
from textpipe.clean.metadata import read_facts
from textpipe.clean.optout import check_optout
from textpipe.clean.stages import Drop
from textpipe.limits import DEFAULT_LIMITS, Limits
from textpipe.records import Document, Page, Removed

__all__ = ["page_id", "read_page"]

_HTML_TYPES = frozenset({"", "text/html", "application/xhtml+xml"})
_TEXT_TYPES = frozenset({"text/plain", "text/markdown"})


def page_id(page: Page) -> str:
    """32 hex digits of the URL and the body: the same page is the same document, wherever it is stored."""
    return xxhash.xxh3_128_hexdigest(page.url.encode("utf-8", "surrogatepass") + b"\n" + page.body)


def read_page(page: Page, *, limits: Limits = DEFAULT_LIMITS) -> Document | Removed:
    """Turn a page into a document.

    Returns
    -------
    Document or Removed
        ``source`` is the host, ``added`` the time of the fetch, ``created`` the date the page gives itself.
    """
    document = Document(
        id=page_id(page),
        text="",
        source=urlsplit(page.url).hostname or "" if "://" in page.url else "",
        url=page.url,
        added=page.fetched,
        warc=page.warc,
    )
    if page.status != 200:
        return Removed(document, "fetch", f"status_{page.status}")
    if page.content_type not in _HTML_TYPES | _TEXT_TYPES:
        return Removed(document, "fetch", "content_type", page.content_type)
    if "content-encoding" in page.headers:
        return Removed(document, "decode", "content_encoding", page.headers["content-encoding"])
    decoded = decode(page.body, content_type=page.headers.get("content-type", ""))
    if isinstance(decoded, Undecodable):
        return Removed(document, "decode", "undecodable", decoded.detail)
    document = replace(document, charset=decoded.charset, charset_source=decoded.charset_source)
    document = replace(document, metadata=_fetch_notes(page, decoded))
    if page.content_type in _TEXT_TYPES:
        drop = check_optout(page.headers, frozenset())
        return Removed(document, "optout", drop.reason, drop.detail) if drop else replace(document, text=decoded.text)
    return _read_html(document, decoded.text, page, limits)


def _fetch_notes(page: Page, decoded: Decoded) -> dict[str, str]:
    notes = {}
    if decoded.num_replaced:
        notes["num_replaced"] = str(decoded.num_replaced)
    if "warc-truncated" in page.headers:
        notes["truncated"] = page.headers["warc-truncated"]
    return notes


def _read_html(document: Document, html: str, page: Page, limits: Limits) -> Document | Removed:
    facts = read_facts(html)
    drop = check_optout(page.headers, facts.robots)
    if drop is not None:
        return Removed(document, "optout", drop.reason, drop.detail)
    said = {"html_lang": facts.lang, "author": facts.author}
    document = replace(
        document,
        title=facts.title,
        created=facts.date,
        metadata={**document.metadata, **{key: value for key, value in said.items() if value}},
    )
    root = parse_html(html, limits=limits)
    text = root if isinstance(root, Drop) else extract_text(root)
    if isinstance(text, Drop):
        return Removed(document, "extract", text.reason, text.detail)
    return replace(document, text=text)
