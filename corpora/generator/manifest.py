"""What is true of the site, as TOML.

What enters: the pages, the server's rules and all other files. What leaves: the text of ``MANIFEST.toml``: licence,
totals, one ``[[page]]`` a page, one ``[[server]]`` a rule, and size and sha256 of every file. It promises a stable
order, so that a change of one page changes a few lines.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from generator.pages import SitePage


def _value(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case datetime.date():
            return value.isoformat()
        case str():
            return json.dumps(value, ensure_ascii=False)  # JSON's escapes are TOML's
        case Mapping():
            return "{ " + ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items()) + " }"
        case _:
            return "[" + ", ".join(_value(item) for item in value) + "]"


def _key(key: str) -> str:
    return key if key.replace("_", "").replace("-", "").isalnum() and key.isascii() else json.dumps(key)


def _table(header: str, rows: Mapping[str, Any]) -> str:
    return "\n".join([header, *(f"{_key(key)} = {_value(value)}" for key, value in rows.items())]) + "\n"


def spans(text: str, strings: Sequence[str]) -> list[dict[str, Any]]:
    """Return every place where one of ``strings`` stands in ``text``, in characters.

    >>> spans("call 119 or 119", ["119"])
    [{'text': '119', 'start': 5, 'end': 8}, {'text': '119', 'start': 12, 'end': 15}]
    """
    found = []
    for string in strings:
        start = text.find(string)
        while start >= 0:
            found.append({"text": string, "start": start, "end": start + len(string)})
            start = text.find(string, start + 1)
    return sorted(found, key=lambda span: (span["start"], span["end"]))


def _page_rows(page: SitePage, *, robots_allowed: bool) -> dict[str, Any]:
    rows: dict[str, Any] = {
        "path": page.path,
        "file": f"site/{page.file}",
        "kind": page.kind,
        "lang": page.lang,
        "title": page.title,
        "charset": page.charset,
        "declared_meta": page.declared_meta,
        "declared_http": page.declared_http,
        "robots_allowed": robots_allowed,
        "boilerplate": page.boilerplate,
        "noindex": page.noindex,
    }
    optional = {
        "date": page.date,
        "truth": page.truth,
        "translation": page.translation,
        "duplicate_of": page.duplicate_of,
        "near_duplicate_of": page.near_duplicate_of,
        "difficulty": page.difficulty,
        "pii": spans(page.main_text, page.pii),
    }
    return rows | {key: value for key, value in optional.items() if value}


def _totals(pages: Sequence[SitePage]) -> dict[str, int]:
    """Count the pages with a text of their own, and the bytes of it."""
    totals: dict[str, int] = {"pages": len(pages)}
    texts = [page for page in pages if page.main_text and not page.duplicate_of and not page.near_duplicate_of]
    for lang in ("ko", "en"):
        own = [page for page in texts if page.lang == lang]
        totals[f"{lang}_text_pages"] = len(own)
        totals[f"{lang}_text_bytes"] = sum(len(page.main_text.encode()) for page in own)
    totals["translation_pairs"] = sum(page.lang == "ko" and bool(page.translation) for page in texts)
    return totals


def manifest(
    pages: Sequence[SitePage],
    rules: Sequence[Mapping[str, Any]],
    files: Mapping[str, bytes],
    *,
    settings: Mapping[str, Any],
    disallowed: frozenset[str],
) -> str:
    """Return the text of the manifest.

    Parameters
    ----------
    pages : every page.
    rules : what the server does besides sending files.
    files : every other file of the site and the truth, by its path below ``corpora``.
    settings : the site's settings.
    disallowed : paths of pages that robots.txt forbids.
    """
    head = {"licence": settings["licence"], "origin": settings["origin"], "crawl_delay_s": settings["crawl_delay_s"]}
    parts = [
        "# Written by corpora/build.py; do not edit. Offsets of personal data are characters of the truth file.\n",
        _table("[site]", head),
        _table("[totals]", _totals(pages)),
    ]
    parts += [_table("[[page]]", _page_rows(page, robots_allowed=page.path not in disallowed)) for page in pages]
    parts += [_table("[[server]]", rule) for rule in rules]
    for path, data in sorted(files.items()):
        parts.append(_table("[[file]]", {"path": path, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}))
    return "\n".join(parts)
