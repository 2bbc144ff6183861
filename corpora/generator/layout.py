"""Articles and lists → HTML and XML through the templates.

What enters: articles with their addresses, and the site's settings. What leaves: text of pages. It promises to depend
on nothing but these: "random" counts, related pages and advertisements are functions of checksums of the words
themselves.
"""

from __future__ import annotations

import datetime
import email.utils
import json
import re
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from generator.addresses import Address, section_path
from generator.sources import KINDS, Article, Post
from markupsafe import Markup

SCHEMA_TYPES = {"news": "NewsArticle", "blog": "BlogPosting", "recipe": "Recipe", "product": "Product", "qa": "QAPage"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a list: what a teaser of an article shows."""

    path: str
    title: str
    kind: str
    date: datetime.date
    author: str
    summary: str
    tags: tuple[str, ...]
    slug: str


@dataclass(frozen=True, slots=True)
class Head:
    """What one page's head says of itself beyond its text."""

    path: str
    canonical: str = ""
    translation: str = ""
    declared_charset: str = "utf-8"
    declared_style: str = "charset"
    robots_meta: str = ""


def number(text: str, low: int, high: int) -> int:
    """Return a number of [low, high] that depends on ``text`` alone."""
    return low + zlib.crc32(text.encode()) % (high - low + 1)


def _rfc822(date: datetime.date) -> str:
    return email.utils.format_datetime(datetime.datetime.combine(date, datetime.time(9), datetime.UTC))


def _price(article: Article) -> int:
    """Return the price a shop page shows: the highest sum of money in its text, 0 when there is none."""
    sums = re.findall(r"([\d,]+)\s?(?:원|won)", article.main_text)
    return max((int(digits.replace(",", "")) for digits in sums if digits.strip(",")), default=0)


class Layout:
    """The templates, filled for one site."""

    def __init__(
        self,
        templates: Path,
        settings: Mapping[str, Any],
        articles: Sequence[Article],
        addresses: Mapping[tuple[str, str], Address],
    ) -> None:
        self.settings = settings
        self.origin: str = settings["origin"]
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(templates),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            undefined=jinja2.StrictUndefined,
        )
        self._environment.globals.update(number=number, rfc822=_rfc822, origin=self.origin, tag_name=self._tag_name)
        self._entries: dict[str, list[Entry]] = {"ko": [], "en": []}
        for article in sorted(articles, key=lambda a: (a.date, a.slug), reverse=True):
            self._entries[article.lang].append(_entry(article, addresses[article.lang, article.slug].path))

    def entries(self, lang: str, kind: str | None = None) -> list[Entry]:
        """Return the teasers of a language, newest first, of one kind or all."""
        return [entry for entry in self._entries[lang] if kind in (None, entry.kind)]

    def article(self, article: Article, head: Head) -> str:
        """Return the page of ``article``."""
        thread = (Post(article.author, article.blocks), *article.posts)
        return self._render(
            f"{article.kind}.html",
            article.lang,
            article.kind,
            head,
            title=article.title,
            description=article.summary,
            article=article,
            thread=thread,
            json_ld=self._json_ld(article, head),
            related=self._related(article),
            cloud=self._cloud(article.lang),
            price=_price(article),
        )

    def listing(self, lang: str, kind: str, head: Head, page_number: int, per_page: int) -> str:
        """Return page ``page_number`` of the list of a section."""
        entries = self.entries(lang, kind)
        num_pages = max(1, -(-len(entries) // per_page))
        first = (page_number - 1) * per_page
        return self._render(
            "list.html",
            lang,
            kind,
            head,
            title=self.settings["sections"][lang][kind],
            entries=entries[first : first + per_page],
            first_number=len(entries) - first,
            pages=[section_path(lang, kind, i) for i in range(1, num_pages + 1)],
            page_number=page_number,
            num_pages=num_pages,
        )

    def home(self, lang: str, head: Head) -> str:
        """Return the front page of a language."""
        boxes = [{**section, "entries": self.entries(lang, section["kind"])[:4]} for section in self._sections(lang)]
        return self._render("home.html", lang, "home", head, title=self.settings["ui"][lang]["name"], boxes=boxes)

    def plain(self, lang: str, head: Head, page: Mapping[str, Any]) -> str:
        """Return a page that is only a form, a few lines or links."""
        parts = {"form": (), "notes": (), "links": (), **page}
        return self._render("plain.html", lang, "plain", head, **parts)

    def xml(self, template: str, **values: Any) -> str:
        """Return a sitemap or feed."""
        return self._environment.get_template(template).render(**values)

    def _render(self, template: str, lang: str, kind: str, head: Head, *, title: str, **values: Any) -> str:
        sections = self._sections(lang)
        ads = [dict(ad, number=i) for i, ad in enumerate(self.settings["ads"][lang], 1)]
        turn = number(head.path, 0, len(ads) - 1)
        entries = self.entries(lang)
        context: dict[str, Any] = {
            "article": None,
            "description": "",
            "title": title,
            "lang": lang,
            "other": "en" if lang == "ko" else "ko",
            "kind": kind,
            "t": self.settings["ui"][lang],
            "sections": sections,
            "section": next((section for section in sections if section["kind"] == kind), None),
            "ads": ads[turn:] + ads[:turn],
            "popular": sorted(entries, key=lambda e: number(e.slug, 0, 10**6))[:6],
            "recent": entries[:6],
            "path": head.path,
            "canonical": self.origin + (head.canonical or head.path),
            "translation": head.translation,
            "declared_charset": head.declared_charset,
            "declared_style": head.declared_style,
            "robots_meta": head.robots_meta,
        }
        return self._environment.get_template(template).render(context | values)

    def _tag_name(self, tag: str, lang: str) -> str:
        return str(self.settings["tags"]["ko"][tag]) if lang == "ko" else tag

    def _sections(self, lang: str) -> list[dict[str, str]]:
        names = self.settings["sections"][lang]
        return [{"kind": kind, "name": names[kind], "path": section_path(lang, kind)} for kind in KINDS]

    def _related(self, article: Article) -> list[Entry]:
        def distance(entry: Entry) -> tuple[int, bool, int]:
            shared = len(set(entry.tags) & set(article.tags))
            return -shared, entry.kind != article.kind, number(entry.slug + article.slug, 0, 10**6)

        others = [entry for entry in self._entries[article.lang] if entry.slug != article.slug]
        return sorted(others, key=distance)[:5]

    def _cloud(self, lang: str) -> list[dict[str, Any]]:
        counts = Counter(tag for entry in self._entries[lang] for tag in entry.tags)
        common = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:24]
        return [{"name": name, "count": min(count, 6)} for name, count in sorted(common)]

    def _json_ld(self, article: Article, head: Head) -> Markup:
        data = {
            "@context": "https://schema.org",
            "@type": SCHEMA_TYPES.get(article.kind, "Article"),
            "headline": article.title,
            "name": article.title,
            "inLanguage": article.lang,
            "datePublished": f"{article.date}T09:00:00+09:00",
            "author": {"@type": "Person", "name": article.author},
            "publisher": {"@type": "Organization", "name": self.settings["ui"][article.lang]["name"]},
            "description": article.summary,
            "url": self.origin + (head.canonical or head.path),
        }
        # "<" is escaped so that no text can close the script element.
        return Markup(json.dumps(data, ensure_ascii=False).replace("<", "\\u003c"))


def _entry(article: Article, path: str) -> Entry:
    return Entry(
        path, article.title, article.kind, article.date, article.author, article.summary, article.tags, article.slug
    )
