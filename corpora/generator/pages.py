"""Articles and settings → every page of the site, with what is true of it.

What enters: articles, their addresses, the layout and the settings. What leaves: ``SitePage`` records: the bytes of the
page and its entry in the manifest. It promises that what the manifest says was known before the page was drawn, never
read back from it.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from generator.addresses import Address, section_file, section_path
from generator.damage import damaged, reworded
from generator.layout import Head, Layout
from generator.sources import KINDS, LANGS, Article

# Kinds whose pages are sent with a charset in Content-Type; the others leave it to <meta>.
HTTP_CHARSET_KINDS = ("news", "blog", "qa", "product", "home")


@dataclass(frozen=True, slots=True)
class SitePage:
    """One page: its bytes and the truth about it."""

    path: str
    file: str
    kind: str
    lang: str
    title: str
    data: bytes
    date: datetime.date | None = None
    charset: str = "utf-8"
    declared_meta: str = "utf-8"
    declared_http: str = ""
    main_text: str = ""
    truth: str = ""
    pii: tuple[str, ...] = ()
    translation: str = ""
    duplicate_of: str = ""
    near_duplicate_of: str = ""
    boilerplate: bool = False
    noindex: bool = False
    difficulty: tuple[str, ...] = ()


def encoded(html: str, encoding: str) -> bytes:
    """Return ``html`` in ``encoding``; signs that a Korean charset lacks become character references, as editors do it.

    Raises
    ------
    UnicodeDecodeError
        when a page meant to be EUC-KR holds a syllable outside KS X 1001.
    """
    # Python's euc-kr encoder spells such syllables as eight bytes of single letters, which no browser reads:
    # encode as CP949, then require that nothing of its extension was used.
    data = html.encode("cp949" if encoding == "euc-kr" else encoding, "xmlcharrefreplace")
    if encoding == "euc-kr":
        data.decode(encoding)
    return data


class Pages:
    """Draws all pages of one site."""

    def __init__(
        self,
        layout: Layout,
        settings: Mapping[str, Any],
        articles: Sequence[Article],
        addresses: Mapping[tuple[str, str], Address],
    ) -> None:
        self.layout = layout
        self.settings = settings
        self.addresses = addresses
        self._articles = {(article.lang, article.slug): article for article in articles}
        self._special = {(row["lang"], row["slug"]): row for row in settings.get("special", ())}
        unknown = set(self._special) - set(self._articles)
        if unknown:
            raise ValueError(f"[[special]] names articles that do not exist: {sorted(unknown)}")

    def all(self) -> list[SitePage]:
        """Return every page, by path."""
        pages = [self._article_page(article) for article in self._articles.values()]
        pages += [self._copy(row) for row in self.settings.get("copy", ())]
        pages += self._lists()
        pages += [self._plain(row) for row in self.settings.get("plain", ())]
        return sorted(pages, key=lambda page: page.path)

    def resolve(self, path: str) -> str:
        """Return ``path``, or the address of the article when it is written ``@lang/slug``."""
        if not path.startswith("@"):
            return path
        reference, _, rest = path[1:].partition("?")
        lang, slug = reference.split("/")
        return self.addresses[lang, slug].path + (f"?{rest}" if rest else "")

    def _head(self, article: Article, address: Address, special: Mapping[str, Any]) -> Head:
        other = self.addresses.get(("en" if article.lang == "ko" else "ko", article.slug))
        return Head(
            path=address.path,
            translation=other.path if other else "",
            declared_charset=special.get("declared", "utf-8"),
            declared_style=special.get("style", "charset"),
            robots_meta="noindex, nofollow" if special.get("noindex") == "meta" else "",
        )

    def _article_page(self, article: Article) -> SitePage:
        special = self._special.get((article.lang, article.slug), {})
        address = self.addresses[article.lang, article.slug]
        head = self._head(article, address, special)
        encoding = special.get("encoding", "utf-8")
        damage = special.get("damage", "")
        drawn = damaged(article, damage) if damage in ("nfd", "pasted", "mojibake") else article
        default_http = "utf-8" if article.kind in HTTP_CHARSET_KINDS and not special.get("encoding") else ""
        difficulty = [f"encoding-{encoding}"] if encoding != "utf-8" else []
        difficulty += [damage] if damage else []
        return SitePage(
            path=address.path,
            file=address.file,
            kind=article.kind,
            lang=special.get("main_lang", article.lang),
            title=article.title,
            data=encoded(self.layout.article(drawn, head), encoding),
            date=article.date,
            charset=encoding,
            declared_meta=head.declared_charset,
            declared_http=special.get("http", default_http),
            main_text=article.main_text,
            truth=f"truth/{article.lang}/{article.slug}.txt",
            pii=article.pii,
            translation=head.translation,
            noindex="noindex" in special,
            difficulty=tuple(difficulty + special.get("notes", [])),
        )

    def _copy(self, row: Mapping[str, Any]) -> SitePage:
        original = self._articles[row["lang"], row["slug"]]
        first = self._article_page(original)
        shared: dict[str, Any] = {
            "path": row["path"],
            "kind": original.kind,
            "lang": first.lang,
            "title": row.get("title", original.title),
            "date": row.get("date", original.date),
            "pii": first.pii,
        }
        if row["how"] == "same-bytes":
            return SitePage(
                **shared,
                file=first.file,
                data=first.data,
                charset=first.charset,
                declared_meta=first.declared_meta,
                declared_http=first.declared_http,
                main_text=first.main_text,
                truth=first.truth,
                duplicate_of=first.path,
            )
        article = reworded(original, row["replace"]) if row["how"] == "near" else original
        article = dataclasses.replace(
            article, title=row.get("title", article.title), date=row.get("date", article.date)
        )
        head = Head(path=row["path"], canonical=first.path if row["how"] == "exact" else "")
        name = original.slug if row["how"] == "exact" else f"{original.slug}-again"
        return SitePage(
            **shared,
            file=row["file"],
            data=self.layout.article(article, head).encode(),
            main_text=article.main_text,
            truth=f"truth/{original.lang}/{name}.txt",
            duplicate_of=first.path if row["how"] == "exact" else "",
            near_duplicate_of=first.path if row["how"] == "near" else "",
        )

    def _lists(self) -> Iterator[SitePage]:
        per_page = self.settings["per_page"]
        for lang in LANGS:
            other = "en" if lang == "ko" else "ko"
            head = Head(path=f"/{lang}/", translation=f"/{other}/")
            yield self._frame_page(head, f"{lang}/index.html", "home", lang=lang, html=self.layout.home(lang, head))
            for kind in KINDS:
                num_pages = max(1, -(-len(self.layout.entries(lang, kind)) // per_page))
                for number in range(1, num_pages + 1):
                    head = Head(path=section_path(lang, kind, number))
                    html = self.layout.listing(lang, kind, head, number, per_page)
                    yield self._frame_page(head, section_file(lang, kind, number), "list", lang=lang, html=html)

    def _plain(self, row: Mapping[str, Any]) -> SitePage:
        head = Head(path=row["path"], robots_meta=row.get("robots", ""))
        links = [{**link, "path": self.resolve(link["path"])} for link in row.get("links", ())]
        page = {key: row[key] for key in ("title", "form", "notes") if key in row} | {"links": links}
        html = self.layout.plain(row["lang"], head, page)
        return self._frame_page(head, row["file"], "plain", lang=row["lang"], html=html, title=row["title"])

    def _frame_page(self, head: Head, file: str, kind: str, *, lang: str, html: str, title: str = "") -> SitePage:
        return SitePage(
            path=head.path,
            file=file,
            kind=kind,
            lang=lang,
            title=title or self.settings["ui"][lang]["name"],
            data=html.encode(),
            declared_http="utf-8" if kind in HTTP_CHARSET_KINDS else "",
            translation=head.translation,
            boilerplate=True,
        )
