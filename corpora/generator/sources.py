"""Source files → articles.

What enters: the TOML files of ``corpora/source`` (a Korean and an English text each) and ``corpora/extra`` (one
language each). What leaves: one ``Article`` a language, its body already cut into blocks. It promises that
``main_text`` is exactly what a reader of the page would call its text: the body and the posts, without title, bylines
or comments.
"""

from __future__ import annotations

import datetime
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KINDS = ("news", "encyclopedia", "blog", "forum", "recipe", "product", "notice", "qa")
LANGS = ("ko", "en")


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, heading, list, table or quotation: ``kind`` is its HTML element."""

    kind: str
    lines: tuple[str, ...]

    @property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """The cells of a table, its head first."""
        return tuple(tuple(cell.strip() for cell in line.strip("|").split("|")) for line in self.lines)

    @property
    def text(self) -> str:
        """The block as plain text."""
        if self.kind == "table":
            return "\n".join(" | ".join(row) for row in self.rows)
        if self.kind == "ul":
            return "\n".join(f"- {line}" for line in self.lines)
        return "\n".join(self.lines)


@dataclass(frozen=True, slots=True)
class Post:
    """What one person wrote below or inside a page."""

    author: str
    blocks: tuple[Block, ...]

    @property
    def text(self) -> str:
        """The post as plain text."""
        return blocks_text(self.blocks)


@dataclass(frozen=True, slots=True)
class Article:
    """One page's worth of writing in one language."""

    slug: str
    kind: str
    lang: str
    date: datetime.date
    tags: tuple[str, ...]
    title: str
    author: str
    summary: str
    blocks: tuple[Block, ...]
    posts: tuple[Post, ...] = ()
    comments: tuple[Post, ...] = ()
    pii: tuple[str, ...] = ()

    @property
    def main_text(self) -> str:
        """The text a cleaner should find, ending with a newline."""
        return "\n\n".join([blocks_text(self.blocks), *(post.text for post in self.posts)]) + "\n"


def blocks_text(blocks: tuple[Block, ...]) -> str:
    """Return ``blocks`` as plain text, an empty line between them."""
    return "\n\n".join(block.text for block in blocks)


def _marked(line: str) -> tuple[str, str]:
    """Return the element a line belongs to and the line without its mark."""
    for mark, kind in (("## ", "h2"), ("- ", "ul"), ("> ", "blockquote")):
        if line.startswith(mark):
            return kind, line.removeprefix(mark).strip()
    return ("table", line) if line.startswith("|") else ("p", line)


def parse_blocks(body: str) -> tuple[Block, ...]:
    """Cut the plain markup of a source into blocks.

    >>> [(block.kind, block.lines) for block in parse_blocks("One.\\n\\n- a\\n- b\\n")]
    [('p', ('One.',)), ('ul', ('a', 'b'))]
    """
    blocks: list[Block] = []
    open_kind = ""
    for line in (raw.strip() for raw in body.strip().splitlines()):
        if not line:
            open_kind = ""
            continue
        if line.startswith("|") and not line.strip("|-: "):
            continue  # the rule under a table's head
        kind, text = _marked(line)
        if kind in ("ul", "table", "blockquote") and kind == open_kind:
            blocks[-1] = Block(kind, (*blocks[-1].lines, text))
        else:
            blocks.append(Block(kind, (text,)))
        open_kind = kind
    return tuple(blocks)


def _posts(entries: list[dict[str, str]]) -> tuple[Post, ...]:
    return tuple(Post(entry["author"], parse_blocks(entry["text"])) for entry in entries)


def _article(source: Mapping[str, Any], lang: str, path: Path) -> Article:
    part = source[lang]
    article = Article(
        slug=source["slug"],
        kind=source["kind"],
        lang=lang,
        date=source["date"],
        tags=tuple(source["tags"]),
        title=part["title"],
        author=part["author"],
        summary=part["summary"],
        blocks=parse_blocks(part["body"]),
        posts=_posts(part.get("posts", [])),
        comments=_posts(part.get("comments", [])),
        pii=tuple(part.get("pii", ())),
    )
    for text in article.pii:
        if text not in article.main_text:
            raise ValueError(f"{path}: [{lang}] pii {text!r} does not stand in the body")
    return article


def read_articles(folder: Path) -> Iterator[Article]:
    """Yield the articles of every TOML file of ``folder``, by name, Korean before English."""
    for path in sorted(folder.glob("*.toml")):
        text = path.read_text("utf-8")
        if not unicodedata.is_normalized("NFC", text):
            raise ValueError(f"{path}: not in NFC")
        source = tomllib.loads(text)
        if source["slug"] != path.stem or source["kind"] not in KINDS:
            raise ValueError(f"{path}: slug or kind does not fit (kinds: {', '.join(KINDS)})")
        yield from (_article(source, lang, path) for lang in LANGS if lang in source)
