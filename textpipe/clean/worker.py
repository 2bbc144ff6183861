"""What one worker does with one item.

What enters: a page or a document. What leaves: an :class:`Outcome`: the document after every stage, or the drop; and
the digest of its text, so that the one process that compares texts only looks them up. The list of stages is here: a
new one is a file with a class like :class:`~textpipe.clean.length.MinChars` and a line in :func:`document_stages`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textpipe.clean.config import CleanConfig
from textpipe.clean.exact import text_digest
from textpipe.clean.language import LanguageFilter
from textpipe.clean.length import MinChars
from textpipe.clean.normalize import Normalize
from textpipe.clean.page import page_id, read_page
from textpipe.clean.stages import Drop, Stage
from textpipe.limits import DEFAULT_LIMITS, Limits
from textpipe.records import Document, Page, Removed

__all__ = ["Outcome", "blank_document", "build_worker", "document_stages"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A document and the digest of its text, or a drop without one."""

    result: Document | Removed
    digest: bytes = b""


def document_stages(config: CleanConfig) -> list[Stage]:
    """The stages every document goes through, in order."""
    return [Normalize(), MinChars(config.min_chars), LanguageFilter(config.langs)]


def build_worker(config: CleanConfig, limits: Limits = DEFAULT_LIMITS) -> Callable[[Page | Document], Outcome]:
    """The function a worker applies to each item; engines call this once in each worker."""
    stages = document_stages(config)

    def work(item: Page | Document) -> Outcome:
        document = read_page(item, limits=limits) if isinstance(item, Page) else item
        return Outcome(document) if isinstance(document, Removed) else _through(document, stages)

    return work


def _through(document: Document, stages: Sequence[Stage]) -> Outcome:
    for stage in stages:
        verdict = stage(document)
        if isinstance(verdict, Drop):
            return Outcome(Removed(document, stage.name, verdict.reason, verdict.detail))
        document = verdict
    return Outcome(document, text_digest(document.text))


def blank_document(item: Page | Document) -> Document:
    """What stands in the removed file for an item that no worker could finish."""
    if isinstance(item, Document):
        return item
    return Document(id=page_id(item), text="", url=item.url, added=item.fetched, warc=item.warc)
