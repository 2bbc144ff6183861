"""What a page says about itself.

What enters: the HTML text of a page. What leaves: :class:`PageFacts`: title, date, author, language and what it asks
robots to do. JSON-LD is believed before OpenGraph, OpenGraph before plain meta tags, these before the title element.
Only the head and the JSON-LD scripts are looked at, wherever these stand, so its cost does not grow with the page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bs4 import BeautifulSoup, SoupStrainer
from bs4.element import Tag

__all__ = ["PageFacts", "read_facts"]

_MAX_HEAD_CHARS = 1 << 18
_MAX_SCRIPTS = 16
_MAX_JSON_ITEMS = 200
_BODY = re.compile(r"<body\b", re.I)
_JSON_LD = re.compile(r"<script\b[^<>]*\bapplication/ld\+json\b[^<>]*>", re.I)
_SCRIPT_END = re.compile(r"</script", re.I)
_WANTED = SoupStrainer(["html", "title", "meta"])
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2})?(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})?)?")
_DATE_NAMES = (
    "article:published_time",
    "date",
    "dc.date",
    "dcterms.date",
    "dcterms.created",
    "pubdate",
    "datepublished",
)
_AUTHOR_NAMES = ("author", "article:author", "dc.creator")
_ROBOT_NAMES = ("robots", "textpipe")


@dataclass(frozen=True, slots=True)
class PageFacts:
    """A page about itself; what it does not say is empty. ``robots`` are the lower-case directives of its meta tags."""

    title: str = ""
    date: str = ""
    author: str = ""
    lang: str = ""
    robots: frozenset[str] = field(default_factory=frozenset)


def read_facts(html: str) -> PageFacts:
    """Read what a page says about itself.

    Notes
    -----
    A page without a body tag is looked at up to 256 Ki characters.
    """
    body = _BODY.search(html)
    head = html[: min(body.start() if body else len(html), _MAX_HEAD_CHARS)]
    soup = BeautifulSoup(head, "lxml", parse_only=_WANTED)
    metas = _meta_tags(soup)
    things = list(_json_ld(html))
    root = soup.find("html")
    robots = {
        directive.strip().lower()
        for name in _ROBOT_NAMES
        for content in metas.get(name, [])
        for directive in content.split(",")
    }
    if metas.get("tdm-reservation", [""])[0].strip() == "1":
        robots.add("tdm-reservation")
    title = soup.title.get_text() if soup.title else ""
    return PageFacts(
        title=_line(_first(_said(things, "headline"), metas, "og:title", "twitter:title") or title),
        date=_as_date(_first(_said(things, "datePublished"), metas, *_DATE_NAMES)),
        author=_line(_first(_authors(things), metas, *_AUTHOR_NAMES)),
        lang=_as_lang(str(root.get("lang", "")) if isinstance(root, Tag) else ""),
        robots=frozenset(robots - {""}),
    )


def _meta_tags(soup: BeautifulSoup) -> dict[str, list[str]]:
    metas: dict[str, list[str]] = {}
    for tag in soup.find_all("meta"):
        name = tag.get("property") or tag.get("name") or tag.get("itemprop")
        content = tag.get("content")
        if isinstance(name, str) and isinstance(content, str):
            metas.setdefault(name.strip().lower(), []).append(content)
    return metas


def _json_ld(html: str) -> Iterator[dict[str, Any]]:
    """Every object of the page's JSON-LD, graphs and lists opened; a script that is not JSON is passed over."""
    position = 0
    for _ in range(_MAX_SCRIPTS):
        start = _JSON_LD.search(html, position)
        end = _SCRIPT_END.search(html, start.end()) if start else None
        if start is None or end is None:
            return
        position = end.end()
        try:
            value = json.loads(html[start.end() : end.start()], strict=False)
        except (ValueError, RecursionError):
            continue  # real pages hold broken JSON-LD by the thousand; the meta tags are read all the same
        queue, num_seen = [value], 0
        while queue and num_seen < _MAX_JSON_ITEMS:
            item = queue.pop(0)
            num_seen += 1
            if isinstance(item, list):
                queue += item[:_MAX_JSON_ITEMS]
            elif isinstance(item, dict):
                yield item
                queue += [item[key] for key in ("@graph", "mainEntity", "mainEntityOfPage") if key in item]


def _said(things: list[dict[str, Any]], key: str) -> str:
    return next((thing[key] for thing in things if isinstance(thing.get(key), str) and thing[key].strip()), "")


def _authors(things: list[dict[str, Any]]) -> str:
    for thing in things:
        authors = thing.get("author")
        names = []
        for author in authors if isinstance(authors, list) else [authors]:
            name = author.get("name") if isinstance(author, dict) else author
            if isinstance(name, str) and name.strip():
                names.append(name.strip())
        if names:
            return ", ".join(names[:10])
    return ""


def _first(said: str, metas: dict[str, list[str]], *names: str) -> str:
    return said or next((metas[name][0] for name in names if name in metas and metas[name][0].strip()), "")


def _as_date(text: str) -> str:
    match = _DATE.match(text.strip())
    return match[0] if match else ""


def _as_lang(text: str) -> str:
    text = text.strip().lower()
    return text if re.fullmatch(r"[a-z]{2,3}(?:[-_][a-z0-9]{1,8})*", text) else ""


def _line(text: str) -> str:
    return " ".join(text.split())[:1000]
