"""What goes wrong with text on its way to a page, done on purpose.

What enters: a clean article. What leaves: the same article as a careless editor, an old mobile or a broken import
would have stored it. The truth of the page stays the clean article's text.
"""

from __future__ import annotations

import dataclasses
import itertools
import unicodedata
from collections.abc import Callable, Sequence

from generator.sources import Article, Block, Post

_ZERO_WIDTH = "\u200b\u200c\u2060\ufeff\u00ad"
_FULL_WIDTH = {code: code + 0xFEE0 for code in itertools.chain(range(0x30, 0x3A), range(0x41, 0x5B), range(0x61, 0x7B))}


def _pasted(text: str) -> str:
    """Full-width letters and digits, and an invisible character after every eighth one."""
    wide = text.translate(_FULL_WIDTH)
    pieces = [wide[i : i + 8] for i in range(0, len(wide), 8)]
    return "".join(piece + mark for piece, mark in zip(pieces, itertools.cycle(_ZERO_WIDTH), strict=False))


def _decomposed(text: str) -> str:
    return unicodedata.normalize("NFD", text)


def _misread(text: str) -> str:
    """UTF-8 bytes read as Latin-1."""
    return text.encode("utf-8").decode("latin-1")


def _blocks(blocks: Sequence[Block], change: Callable[[str], str]) -> tuple[Block, ...]:
    return tuple(Block(block.kind, tuple(change(line) for line in block.lines)) for block in blocks)


def _posts(posts: Sequence[Post], change: Callable[[str], str]) -> tuple[Post, ...]:
    return tuple(Post(change(post.author), _blocks(post.blocks, change)) for post in posts)


def damaged(article: Article, kind: str) -> Article:
    """Return ``article`` as ``kind`` of damage leaves it.

    Parameters
    ----------
    article : the clean article.
    kind : ``"nfd"`` (everything decomposed), ``"pasted"`` (zero-width and full-width characters in the body) or
        ``"mojibake"`` (the second paragraph read in the wrong charset).
    """
    if kind == "nfd":
        return dataclasses.replace(
            article,
            title=_decomposed(article.title),
            author=_decomposed(article.author),
            summary=_decomposed(article.summary),
            blocks=_blocks(article.blocks, _decomposed),
            posts=_posts(article.posts, _decomposed),
            comments=_posts(article.comments, _decomposed),
        )
    if kind == "pasted":
        return dataclasses.replace(article, blocks=_blocks(article.blocks, _pasted))
    if kind == "mojibake":
        second = [i for i, block in enumerate(article.blocks) if block.kind == "p"][1]
        blocks = list(article.blocks)
        blocks[second : second + 1] = _blocks([blocks[second]], _misread)
        return dataclasses.replace(article, blocks=tuple(blocks))
    raise ValueError(f"unknown damage {kind!r}")


def reworded(article: Article, pairs: Sequence[Sequence[str]]) -> Article:
    """Return ``article`` with words replaced everywhere in its body; each pair must be found."""
    texts = [article.blocks, *(post.blocks for post in article.posts)]
    whole = "\n".join(line for blocks in texts for block in blocks for line in block.lines)
    for old, _ in pairs:
        if old not in whole:
            raise ValueError(f"{article.slug}: {old!r} does not stand in the source")

    def change(text: str) -> str:
        for old, new in pairs:
            text = text.replace(old, new)
        return text

    return dataclasses.replace(
        article, blocks=_blocks(article.blocks, change), posts=_posts(article.posts, change), comments=()
    )
