"""What each stage says of one document.

What enters: inputs, the URL or id of one document in them, and the settings. What leaves: a row for each stage in order
with its verdict. The same code runs as in a whole run, in this process. Whether a text repeats an earlier one cannot be
seen from one document: that row is read from a finished run's folder where one is given.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from textpipe.clean.config import CleanConfig
from textpipe.clean.inputs import find_sources, iter_items
from textpipe.clean.page import page_id, read_page
from textpipe.clean.stages import Drop
from textpipe.clean.worker import document_stages
from textpipe.errors import InputError
from textpipe.files import MANIFEST, read_manifest
from textpipe.limits import DEFAULT_LIMITS, Limits
from textpipe.records import Document, Page, Removed
from textpipe.sources import read_blocks

__all__ = ["Verdict", "explain"]

_PAGE_STAGES = ("fetch", "decode", "optout", "extract")
_SHOWN_CHARS = 60


@dataclass(frozen=True, slots=True)
class Verdict:
    """One row: the stage, ``kept``, ``changed``, ``dropped`` or ``unknown``, and why."""

    stage: str
    verdict: str
    detail: str


def explain(
    inputs: str | Path | Sequence[str | Path],
    target: str,
    config: CleanConfig | None = None,
    *,
    out: str | Path | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> list[Verdict]:
    """Run one document through every stage.

    Parameters
    ----------
    target : the URL, the path below the named folder, or the id.
    out : a finished run of the same inputs, for the verdict on duplicates.

    Raises
    ------
    InputError
        when no document of ``inputs`` is called that.
    """
    config = config or CleanConfig()
    for item in iter_items(find_sources(inputs), text_unit=config.text_unit, limits=limits):
        if target in (item.url, page_id(item) if isinstance(item, Page) else item.id):
            return list(_verdicts(item, config, out, limits))
    raise InputError(
        "no document of these inputs has this URL or id", where=target, hint="ids stand in docs/ and removed/"
    )


def _verdicts(item: Page | Document, config: CleanConfig, out: str | Path | None, limits: Limits) -> Iterator[Verdict]:
    document: Document
    if isinstance(item, Page):
        read = read_page(item, limits=limits)
        document = read.document if isinstance(read, Removed) else read
        yield from _page_verdicts(item, read)
        if isinstance(read, Removed):
            return
    else:
        document = item
    for stage in document_stages(config):
        verdict = stage(document)
        if isinstance(verdict, Drop):
            yield Verdict(stage.name, "dropped", _joined(verdict.reason, verdict.detail))
            return
        yield Verdict(
            stage.name, "kept" if verdict.text == document.text else "changed", _describe(verdict, stage.name)
        )
        document = verdict
    yield _verdict_of_run(document, out)


def _page_verdicts(page: Page, read: Document | Removed) -> Iterator[Verdict]:
    document = read.document if isinstance(read, Removed) else read
    details = {
        "fetch": _joined(str(page.status), page.content_type, f"{len(page.body)} bytes"),
        "decode": _joined(
            f"{document.charset} by {document.charset_source}", f"{document.metadata.get('num_replaced', 0)} replaced"
        ),
        "optout": "nothing against keeping it",
        "extract": f"{len(document.text)} characters: {_head(document.text)}",
    }
    for stage in _PAGE_STAGES:
        if isinstance(read, Removed) and read.stage == stage:
            yield Verdict(stage, "dropped", _joined(read.reason, read.detail))
            return
        yield Verdict(stage, "kept", details[stage])


def _describe(document: Document, stage: str) -> str:
    if stage == "language":
        return f"{document.lang} {document.lang_score:.2f}"
    if stage == "normalize":
        notes = [
            f"{key.partition('.')[2]} {value}" for key, value in document.metadata.items() if key.startswith(stage)
        ]
        return _joined(*notes) or "nothing to count"
    return f"{sum(map(len, document.text.split()))} characters without white space"


def _verdict_of_run(document: Document, out: str | Path | None) -> Verdict:
    if out is None or not (Path(out) / MANIFEST).exists():
        return Verdict("exact", "unknown", "needs the folder of a finished run of these inputs")
    for entry in read_manifest(out, kind="clean")["files"]:
        for line in b"".join(read_blocks(Path(out) / entry["path"])).splitlines():
            row = json.loads(line)
            if row["id"] == document.id:
                removed = row.get("removed")
                if removed is None:
                    return Verdict("exact", "kept", f"in {entry['path']}")
                return Verdict("exact", "dropped", _joined(removed["reason"], removed["detail"]))
    return Verdict("exact", "unknown", f"{out} was made of other inputs")


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def _head(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN_CHARS else line[:_SHOWN_CHARS] + "…"
