"""The bundled web site on disk and what is true of it.

What enters: nothing but the installed package. What leaves: the folder of the site and its manifest as typed records.
It promises to find them in a checkout and in an installed wheel alike, and never to write there.
"""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textpipe.errors import InputError

__all__ = ["PageTruth", "PersonalData", "ServerRule", "SiteTruth", "bundled_site", "read_truth"]

MANIFEST = "MANIFEST.toml"
_PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class PersonalData:
    """A string of invented personal data, and its character offsets in the page's truth file."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class PageTruth:
    """What is true of one page.

    ``path`` is its URL path with query; ``file`` and ``truth`` lie below the bundled folder, and ``truth`` is empty for
    pages without a text of their own. ``charset`` is that of the bytes; ``declared_meta`` and ``declared_http`` are
    what the page and its header claim. ``duplicate_of`` and ``near_duplicate_of`` name the path of the first page.
    """

    path: str
    file: str
    kind: str
    lang: str
    title: str
    charset: str
    declared_meta: str
    declared_http: str
    robots_allowed: bool
    boilerplate: bool
    noindex: bool
    date: datetime.date | None = None
    truth: str = ""
    translation: str = ""
    duplicate_of: str = ""
    near_duplicate_of: str = ""
    difficulty: tuple[str, ...] = ()
    pii: tuple[PersonalData, ...] = ()


@dataclass(frozen=True, slots=True)
class ServerRule:
    """What the server does at ``path``, or at all paths that match ``glob``, besides sending a page.

    A ``status`` other than 0 is given instead of the page, the first ``times`` times only when that is not 0.
    """

    path: str = ""
    glob: str = ""
    status: int = 0
    location: str = ""
    headers: Mapping[str, str] | None = None
    times: int = 0
    delay_s: float = 0.0
    file: str = ""
    gzip: str = ""
    keep: float = 1.0


@dataclass(frozen=True, slots=True)
class SiteTruth:
    """The manifest: every page, every rule, every file's sha256."""

    folder: Path
    origin: str
    crawl_delay_s: float
    pages: tuple[PageTruth, ...]
    rules: tuple[ServerRule, ...]
    sha256: Mapping[str, str]
    totals: Mapping[str, int]

    def main_text(self, page: PageTruth) -> str:
        """Return the text a cleaner should find on ``page``; empty when it has none."""
        return (self.folder / page.truth).read_text("utf-8") if page.truth else ""

    def page(self, path: str) -> PageTruth:
        """Return the page at a URL path.

        Raises
        ------
        KeyError
            when no page has that path.
        """
        for page in self.pages:
            if page.path == path:
                return page
        raise KeyError(path)


def bundled_site() -> Path:
    """Return the folder that holds the bundled site: ``MANIFEST.toml``, ``site/`` and ``truth/``.

    Raises
    ------
    InputError
        when the package was installed without it.
    """
    for folder in (_PACKAGE / "bundled", _PACKAGE.parent / "corpora"):
        if (folder / MANIFEST).is_file():
            return folder
    raise InputError(
        "the bundled web site is not there",
        where=_PACKAGE / "bundled",
        hint="install textpipe from its wheel or its whole source tree",
    )


def read_truth(folder: Path | None = None) -> SiteTruth:
    """Read the manifest of the bundled site.

    Parameters
    ----------
    folder : where ``MANIFEST.toml`` lies; the bundled site by default.

    Examples
    --------
    >>> truth = read_truth()
    >>> truth.page("/ko/").kind
    'home'
    """
    folder = folder or bundled_site()
    rows: dict[str, Any] = tomllib.loads((folder / MANIFEST).read_text("utf-8"))
    return SiteTruth(
        folder=folder,
        origin=rows["site"]["origin"],
        crawl_delay_s=rows["site"]["crawl_delay_s"],
        pages=tuple(_page(row) for row in rows["page"]),
        rules=tuple(ServerRule(**row) for row in rows["server"]),
        sha256={row["path"]: row["sha256"] for row in rows["file"]},
        totals=rows["totals"],
    )


def _page(row: dict[str, Any]) -> PageTruth:
    spans = tuple(PersonalData(**span) for span in row.pop("pii", ()))
    difficulty = tuple(row.pop("difficulty", ()))
    return PageTruth(**row, pii=spans, difficulty=difficulty)
