"""Page → Document: decode, extract, normalise, tell the language, drop what repeats; every drop has a counted reason.

What enters: a crawl folder, WARC or HTML files, JSONL or plain text. What leaves: ``docs/part-*.jsonl.zst`` with what
was kept, ``removed/part-*.jsonl.zst`` with what was not and why, and ``manifest.json`` with the counts.

    >>> from textpipe.clean import clean
    >>> result = clean(["crawl"], "corpus", workers=2)  # doctest: +SKIP
    >>> result.kept, result.dropped  # doctest: +SKIP
"""

from __future__ import annotations

from textpipe.clean.config import CleanConfig
from textpipe.clean.pipeline import Cleaner, CleanResult, clean

__all__ = ["CleanConfig", "CleanResult", "Cleaner", "clean"]
