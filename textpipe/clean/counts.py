"""The numbers of a cleaning run.

What enters: each document as it is kept or dropped. What leaves: counts that add up: what came in is what was kept plus
what was dropped, and the reasons sum to the drops. They are plain JSON, so an interrupted run takes them up again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from textpipe.records import Document, Removed

__all__ = ["Counts"]

_SERIES = (
    "stages",
    "reasons",
    "langs",
    "hosts",
    "hosts_dropped",
    "charsets",
    "charset_sources",
    "normalized",
)
_TOTALS = ("documents_in", "kept", "dropped", "kept_chars", "kept_bytes")


class Counts:
    """Totals and series (by reason, language, host, charset, what normalisation changed)."""

    def __init__(self, state: Mapping[str, Any] | None = None) -> None:
        self.totals: Counter[str] = Counter(dict.fromkeys(_TOTALS, 0))
        self.series: dict[str, Counter[str]] = {name: Counter() for name in _SERIES}
        if state is not None:
            self.totals.update({name: int(state[name]) for name in _TOTALS})
            for name in _SERIES:
                self.series[name].update(state[name])

    def add(self, result: Document | Removed) -> None:
        """Count one document."""
        document = result.document if isinstance(result, Removed) else result
        self.totals["documents_in"] += 1
        if document.charset:
            self.series["charsets"][document.charset] += 1
            self.series["charset_sources"][document.charset_source] += 1
        host = urlsplit(document.url).netloc if "://" in document.url else ""
        if isinstance(result, Removed):
            self.totals["dropped"] += 1
            self.series["stages"][result.stage] += 1
            self.series["reasons"][f"{result.stage}.{result.reason}"] += 1
            self._count_host("hosts_dropped", host)
            return
        self.totals["kept"] += 1
        self.totals["kept_chars"] += len(document.text)
        self.totals["kept_bytes"] += len(document.text.encode())
        self.series["langs"][document.lang] += 1
        self._count_host("hosts", host)
        for key, value in document.metadata.items():
            if key.startswith("normalize."):
                self.series["normalized"][key.removeprefix("normalize.")] += int(value)

    def _count_host(self, series: str, host: str) -> None:
        if host:
            self.series[series][host] += 1

    def as_dict(self) -> dict[str, Any]:
        """Totals, then each series with its largest first (ties by name)."""
        ordered = {
            name: dict(sorted(series.items(), key=lambda item: (-item[1], item[0])))
            for name, series in self.series.items()
        }
        return {**{name: self.totals[name] for name in _TOTALS}, **ordered}
