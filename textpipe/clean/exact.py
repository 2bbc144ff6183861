"""Exact duplicates: the first one stays.

What enters: documents, in the corpus's fixed order. What leaves: a drop for each whose text was seen before, naming the
one that was kept. Two texts are the same when they differ in white space alone. Promises: which one is kept depends on
the order of the documents only; 128-bit hashes, so a chance match needs about 10^19 documents; about 200 bytes of
memory a kept document.
"""

from __future__ import annotations

import xxhash

from textpipe.clean.stages import Drop
from textpipe.records import Document

__all__ = ["ExactDuplicates", "text_digest"]


def text_digest(text: str) -> bytes:
    """The 128-bit XXH3 of a text with each run of white space made one space."""
    return xxhash.xxh3_128_digest(" ".join(text.split()).encode("utf-8", "surrogatepass"))


class ExactDuplicates:
    """Remembers every text it was shown; not a stage for workers, as it must see all documents in order."""

    name = "exact"

    def __init__(self) -> None:
        self._keepers: dict[bytes, str] = {}

    def __call__(self, document: Document, digest: bytes | None = None) -> Document | Drop:
        """Keep a document the first time; ``digest`` is its :func:`text_digest` where a worker has made it already."""
        digest = digest or text_digest(document.text)
        keeper = self._keepers.get(digest)
        if keeper is not None:
            return Drop("duplicate", f"same text as {keeper}")
        self._keepers[digest] = document.id
        return document
