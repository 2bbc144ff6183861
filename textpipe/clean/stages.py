"""What a cleaning stage is.

What enters: a document. What leaves: the document, changed or not, or a :class:`Drop` with the reason. A stage is a
small object with a ``name``; it sees one document at a time and remembers nothing, so any worker may run it. A new one
is one file and one line in :func:`document_stages`. (What must see all documents in order, exact duplicates, is not a
stage of this kind: see :mod:`textpipe.clean.exact`.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from textpipe.records import Document

__all__ = ["Drop", "Stage"]


@dataclass(frozen=True, slots=True)
class Drop:
    """The verdict that a document is not kept: a reason that can be counted, and a detail for a person."""

    reason: str
    detail: str = ""


class Stage(Protocol):
    """One step of cleaning."""

    name: str

    def __call__(self, document: Document) -> Document | Drop:
        """Give the document as it goes on, or why it does not."""
        ...
