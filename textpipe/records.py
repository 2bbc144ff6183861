"""The records that flow between stages.

What enters and leaves each stage of the corpus side is one of these small frozen dataclasses. They hold plain data,
know no files and compare by value. ``Document`` is one line of a JSONL shard: :meth:`Document.to_json` and
:meth:`Document.from_json` are exact inverses.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from textpipe.errors import InputError

__all__ = ["Document", "Page", "Removed", "WarcLocation"]


@dataclass(frozen=True, slots=True)
class WarcLocation:
    """Where a page's record lies: archive file name and byte offset of its gzip member."""

    file: str
    offset: int


@dataclass(frozen=True, slots=True)
class Page:
    """One fetched page, before any decoding.

    ``headers`` has lower-case names. ``body`` is inflated bytes. ``fetched`` is an ISO 8601 UTC time.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    fetched: str = ""
    warc: WarcLocation | None = None

    @property
    def content_type(self) -> str:
        """The media type alone, lower case, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Document:
    """One cleaned text and where it came from.

    ``lang`` is ``ko``, ``en``, … or ``und``; ``lang_score`` is in [0, 1]. ``created`` is the page's own date, ``added``
    the time it was fetched, both ISO 8601 or empty. ``metadata`` maps strings to strings so that any table can hold it.
    """

    id: str
    text: str
    source: str = ""
    url: str = ""
    added: str = ""
    created: str = ""
    title: str = ""
    lang: str = "und"
    lang_score: float = 0.0
    charset: str = ""
    charset_source: str = ""
    warc: WarcLocation | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """One line of JSON, UTF-8 text kept as it is, keys in the order of the fields, empty ones left out."""
        row: dict[str, Any] = {"id": self.id, "text": self.text}
        for name in _OPTIONAL:
            value = getattr(self, name)
            if value not in ("", None, 0.0, {}) and not (name == "lang" and value == "und"):
                row[name] = value
        if self.warc is not None:
            row["warc"] = {"file": self.warc.file, "offset": self.warc.offset}
        if self.metadata:
            row["metadata"] = dict(self.metadata)
        return json.dumps(row, ensure_ascii=False)

    @classmethod
    def from_json(cls, line: str | bytes) -> Document:
        """Read one line of JSONL; a bare ``{"text": …}`` and the Dolma and datatrove layouts are read too.

        Raises
        ------
        InputError
            when the line is not a JSON object with a string ``text``.
        """
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(f"not a line of JSON: {error}") from None
        if not isinstance(row, dict) or not isinstance(row.get("text"), str):
            raise InputError("a document needs a string field text", allowed='{"id": …, "text": …, …}')
        warc = row.get("warc")
        metadata = row.get("metadata") or {}
        score = row.get("lang_score")
        return cls(
            id=str(row.get("id", "")),
            text=row["text"],
            lang_score=float(score) if isinstance(score, int | float) else 0.0,
            warc=WarcLocation(str(warc["file"]), int(warc["offset"]))
            if isinstance(warc, dict) and "file" in warc and "offset" in warc
            else None,
            metadata={
                str(k): v if isinstance(v, str) else json.dumps(v, ensure_ascii=False) for k, v in metadata.items()
            }
            if isinstance(metadata, dict)
            else {},
            **{name: str(row[name]) for name in _STRINGS if row.get(name) is not None},
        )


_STRINGS = ("source", "url", "added", "created", "title", "lang", "charset", "charset_source")
_OPTIONAL = ("source", "url", "added", "created", "title", "lang", "lang_score", "charset", "charset_source")


@dataclass(frozen=True, slots=True)
class Removed:
    """A document a stage dropped, kept aside with the stage and the reason it was dropped for."""

    document: Document
    stage: str
    reason: str
    detail: str = ""

    def to_json(self) -> str:
        """The document's line with ``removed`` = {stage, reason, detail} added."""
        row = json.loads(self.document.to_json())
        row["removed"] = {"stage": self.stage, "reason": self.reason, "detail": self.detail}
        return json.dumps(row, ensure_ascii=False)
