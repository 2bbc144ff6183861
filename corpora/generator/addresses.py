"""Where each article lives.

What enters: all articles. What leaves: for each its URL path (as a link writes it) and the file that holds the page.
The styles are those of real sites: dated paths, titles in percent-encoded Hangul, numbers in a query, folders,
product codes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from generator.sources import KINDS, Article

# the folder of each kind's section; its list page is /LANG/FOLDER/
FOLDERS = {
    "news": "news",
    "encyclopedia": "wiki",
    "blog": "blog",
    "forum": "forum",
    "recipe": "recipes",
    "product": "shop",
    "notice": "board",
    "qa": "qna",
}


@dataclass(frozen=True, slots=True)
class Address:
    """``path`` is the URL path with its query, percent-encoded; ``file`` is relative to the site's folder."""

    path: str
    file: str


def section_path(lang: str, kind: str, number: int = 1) -> str:
    """Return the URL path of page ``number`` of a section's list."""
    path = f"/{lang}/{FOLDERS[kind]}/"
    return path if number == 1 else f"{path}?page={number}"


def section_file(lang: str, kind: str, number: int = 1) -> str:
    """Return the file of page ``number`` of a section's list."""
    return f"{lang}/{FOLDERS[kind]}/" + ("index.html" if number == 1 else f"page-{number}.html")


def _address(article: Article, number: int) -> Address:
    lang, slug, date = article.lang, article.slug, article.date
    match article.kind:
        case "news":
            path = f"/{lang}/news/{date:%Y/%m}/{slug}.html"
        case "encyclopedia":
            return Address(f"/{lang}/wiki/{quote(article.title.replace(' ', '_'))}", f"{lang}/wiki/{slug}.html")
        case "blog":
            return Address(f"/{lang}/blog/{date:%Y}/{slug}/", f"{lang}/blog/{date:%Y}/{slug}/index.html")
        case "forum":
            thread = 1200 + 17 * number
            return Address(f"/{lang}/forum/thread.html?tid={thread}", f"{lang}/forum/thread-{thread}.html")
        case "recipe":
            path = f"/{lang}/recipes/{slug}.html"
        case "product":
            code = f"HB-{1000 + number}"
            return Address(f"/{lang}/shop/item/{code}", f"{lang}/shop/item/{code}.html")
        case "notice":
            idx = 10 + number
            return Address(f"/{lang}/board/view.html?idx={idx}&page=1", f"{lang}/board/view-{idx}.html")
        case _:
            path = f"/{lang}/qna/{300 + number}/{slug}.html"
    return Address(path, path.removeprefix("/"))


def assign(articles: Sequence[Article]) -> dict[tuple[str, str], Address]:
    """Return the address of each article by (lang, slug); a translation pair shares its number."""
    addresses: dict[tuple[str, str], Address] = {}
    for kind in KINDS:
        of_kind = [article for article in articles if article.kind == kind]
        slugs = sorted({(article.date, article.slug) for article in of_kind})
        numbers = {slug: number for number, (_, slug) in enumerate(slugs, 1)}
        for article in of_kind:
            addresses[article.lang, article.slug] = _address(article, numbers[article.slug])
    return addresses
