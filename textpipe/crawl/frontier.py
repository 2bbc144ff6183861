"""The frontier: every URL a crawl knows, and what became of it.

What enters: URLs and outcomes. What leaves: the next URL of a host, and counts. It is one SQLite file in WAL mode that
anybody may open and ask. A URL is in exactly one state: ``queued``, ``leased`` (under way), ``done``, ``failed`` or
``skipped``, the last three with a reason, so the counts add up to what was discovered. Nothing is durable before
:meth:`Frontier.commit`, and everything up to it is: a crawl killed at any instant goes on from its last commit, and
what was leased then is queued again.

URLs of a host are given by the number of tries, by depth, then in the order they were found.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from textpipe.crawl.urls import host_of, url_key
from textpipe.errors import FormatError, StateError
from textpipe.records import WarcLocation

__all__ = ["Frontier", "Link", "Outcome", "QueuedUrl"]

_SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE urls (
    id INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE,        -- equal for URLs that differ in the order of parameters only
    url TEXT NOT NULL,
    host TEXT NOT NULL,
    kind TEXT NOT NULL,              -- page, sitemap
    state TEXT NOT NULL CHECK (state IN ('queued', 'leased', 'done', 'failed', 'skipped')),
    reason TEXT NOT NULL DEFAULT '',
    detail TEXT NOT NULL DEFAULT '',
    depth INTEGER NOT NULL,
    redirects INTEGER NOT NULL DEFAULT 0,
    referrer TEXT NOT NULL DEFAULT '',
    attempts INTEGER NOT NULL DEFAULT 0,
    not_before REAL NOT NULL DEFAULT 0,  -- after a failure: when it may be tried again
    status INTEGER,
    content_type TEXT NOT NULL DEFAULT '',
    bytes INTEGER NOT NULL DEFAULT 0,
    digest TEXT,
    warc_file TEXT,
    warc_offset INTEGER,
    fetched TEXT NOT NULL DEFAULT ''
);
CREATE INDEX urls_waiting ON urls (host, kind DESC, attempts, depth, id) WHERE state = 'queued';
CREATE INDEX urls_digest ON urls (digest) WHERE digest IS NOT NULL;
CREATE TABLE robots (origin TEXT PRIMARY KEY, status TEXT NOT NULL, body TEXT NOT NULL, detail TEXT NOT NULL,
                     fetched REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE hosts (host TEXT PRIMARY KEY, next_at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE archives (name TEXT PRIMARY KEY, bytes INTEGER NOT NULL) WITHOUT ROWID;
"""
_IS_STORED = "state = 'done' AND reason IN ('ok', 'revisit', 'truncated')"


@dataclass(frozen=True, slots=True)
class QueuedUrl:
    """A URL to fetch."""

    id: int
    url: str
    kind: str
    depth: int
    redirects: int
    referrer: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Link:
    """A URL that was found. A ``reason`` means that it is known and will not be fetched."""

    url: str
    depth: int
    kind: str = "page"
    redirects: int = 0
    referrer: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a leased URL. ``state`` ``queued`` means that it is to be tried again."""

    state: str
    reason: str
    detail: str = ""
    status: int | None = None
    content_type: str = ""
    num_bytes: int = 0
    digest: str | None = None
    location: WarcLocation | None = None
    fetched: str = ""
    not_before: float = 0.0


class Frontier:
    """The frontier of one crawl folder; for one thread.

    Raises
    ------
    FormatError
        when ``path`` is not a frontier, or is damaged.
    StateError
        when it was made by another version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, isolation_level=None)
        try:
            self._open()
        except sqlite3.DatabaseError as error:
            self._database.close()
            raise FormatError(f"not a frontier: {error}", path=path, hint="start in a new folder") from None
        except BaseException:
            self._database.close()
            raise

    def _open(self) -> None:
        run = self._database.execute
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = FULL")  # a commit a second; it must not be ahead of the archive after a power cut
        version = run("PRAGMA user_version").fetchone()[0]
        if version == 0:
            self._database.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {_SCHEMA_VERSION}; COMMIT;")
        elif version != _SCHEMA_VERSION:
            raise StateError(
                f"this frontier has layout {version}",
                where=self.path,
                allowed=str(_SCHEMA_VERSION),
                hint="start in a new folder",
            )
        run("BEGIN")
        run("UPDATE urls SET state = 'queued' WHERE state = 'leased'")

    # -- settings ------------------------------------------------------------------------------------------------

    def agree_on(self, settings: Mapping[str, object]) -> None:
        """Record the settings that shape what is crawled, or check them against the recorded ones.

        Raises
        ------
        StateError
            naming each setting that differs.
        """
        row = self._database.execute("SELECT value FROM meta WHERE key = 'settings'").fetchone()
        if row is None:
            value = json.dumps(dict(settings), ensure_ascii=False)
            self._database.execute("INSERT INTO meta VALUES ('settings', ?)", (value,))
            return
        old = json.loads(row[0])
        differing = [
            f"{key} = {old.get(key)!r} there, {settings.get(key)!r} now"
            for key in sorted(old.keys() | settings.keys())
            if old.get(key) != json.loads(json.dumps(settings.get(key)))
        ]
        if differing:
            raise StateError(
                f"this crawl was begun with other settings: {'; '.join(differing)}",
                where=self.path.parent,
                hint="use the same ones, or another folder",
            )

    # -- the queue -----------------------------------------------------------------------------------------------

    def add(self, links: Iterable[Link]) -> None:
        """Make URLs known. One that is known stays as it is, but a shorter way to it counts: its depth goes down,
        and a URL once too deep is queued after all."""
        rows = [
            (
                url_key(link.url),
                link.url,
                host_of(link.url),
                link.kind,
                "skipped" if link.reason else "queued",
                link.reason,
                link.depth,
                link.redirects,
                link.referrer,
            )
            for link in links
        ]
        self._database.executemany(
            "INSERT INTO urls (key, url, host, kind, state, reason, depth, redirects, referrer)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (key) DO UPDATE SET depth = excluded.depth, state = excluded.state, reason = excluded.reason"
            " WHERE excluded.depth < depth AND excluded.state = 'queued'"
            " AND (state = 'queued' OR state = 'skipped' AND reason = 'depth')",
            rows,
        )

    def rejudge(self, host: str, reason: str, problem: Callable[[Link], str]) -> None:
        """Judge again the URLs of a host that were skipped for ``reason``."""
        rows = self._database.execute(
            "SELECT id, url, depth, kind, redirects, referrer FROM urls"
            " WHERE state = 'skipped' AND reason = ? AND host = ?",
            (reason, host),
        ).fetchall()
        for number, *fields in rows:
            verdict = problem(Link(*fields))
            self._database.execute(
                "UPDATE urls SET state = ?, reason = ? WHERE id = ?",
                ("skipped" if verdict else "queued", verdict, number),
            )

    def seed_hosts(self) -> dict[str, bool]:
        """Hosts of the seeds and of what they redirected to → whether a seed itself lies there; seeds first."""
        rows = self._database.execute(
            "SELECT host, min(redirects) = 0 FROM urls WHERE depth = 0 AND referrer = ''"
            " GROUP BY host ORDER BY 2 DESC, 1"
        )
        return {host: bool(is_seed) for host, is_seed in rows}

    def waiting_hosts(self) -> list[str]:
        """Hosts with URLs still to fetch, in the order their first one was found."""
        rows = self._database.execute("SELECT host FROM urls WHERE state = 'queued' GROUP BY host ORDER BY min(id)")
        return [row[0] for row in rows]

    def next_of(self, host: str, now: float) -> QueuedUrl | None:
        """The next URL of a host, still queued: sitemaps first, untried first, then by depth, then as found."""
        row = self._database.execute(
            "SELECT id, url, kind, depth, redirects, referrer, attempts FROM urls"
            " WHERE state = 'queued' AND host = ? AND not_before <= ? ORDER BY kind DESC, attempts, depth, id LIMIT 1",
            (host, now),
        ).fetchone()
        return QueuedUrl(*row) if row else None

    def next_time_of(self, host: str) -> float | None:
        """When the first queued URL of a host may be tried; None when there is none."""
        row = self._database.execute(
            "SELECT min(not_before) FROM urls WHERE state = 'queued' AND host = ?", (host,)
        ).fetchone()
        return None if row[0] is None else float(row[0])

    def lease(self, item: QueuedUrl) -> None:
        """A request for this URL begins."""
        self._database.execute("UPDATE urls SET state = 'leased', attempts = attempts + 1 WHERE id = ?", (item.id,))

    def release(self, item: QueuedUrl) -> None:
        """The request was not made, or cut by us: as if it had never been leased."""
        self._database.execute("UPDATE urls SET state = 'queued', attempts = attempts - 1 WHERE id = ?", (item.id,))

    def settle(self, item: QueuedUrl, outcome: Outcome) -> None:
        """Write what became of a URL."""
        location = outcome.location
        self._database.execute(
            "UPDATE urls SET state = ?, reason = ?, detail = ?, status = ?, content_type = ?, bytes = ?, digest = ?,"
            " warc_file = ?, warc_offset = ?, fetched = ?, not_before = ? WHERE id = ?",
            (
                outcome.state,
                outcome.reason,
                outcome.detail[:500],
                outcome.status,
                outcome.content_type[:100],
                outcome.num_bytes,
                outcome.digest,
                location.file if location else None,
                location.offset if location else None,
                outcome.fetched,
                outcome.not_before,
                item.id,
            ),
        )

    def requeue_failed(self, reasons: Iterable[str]) -> int:
        """Queue again what failed for one of these reasons; returns how many."""
        cursor = self._database.executemany(
            "UPDATE urls SET state = 'queued', reason = '', detail = '', attempts = 0, not_before = 0"
            " WHERE state = 'failed' AND reason = ?",
            [(reason,) for reason in reasons],
        )
        return cursor.rowcount

    def stored_with(self, digest: str) -> tuple[str, str] | None:
        """URL and time of the first page stored with this payload, or None."""
        row = self._database.execute(
            "SELECT url, fetched FROM urls WHERE digest = ? AND reason <> 'revisit' ORDER BY id LIMIT 1", (digest,)
        ).fetchone()
        return (row[0], row[1]) if row else None

    # -- hosts and archives --------------------------------------------------------------------------------------

    def robots(self, origin: str) -> tuple[str, str, str, float] | None:
        """Status, body, detail and time of the robots.txt that was read for an origin."""
        row = self._database.execute(
            "SELECT status, body, detail, fetched FROM robots WHERE origin = ?", (origin,)
        ).fetchone()
        return tuple(row) if row else None

    def save_robots(self, origin: str, status: str, body: str, detail: str, fetched: float) -> None:
        """Keep a robots.txt."""
        self._database.execute(
            "INSERT OR REPLACE INTO robots VALUES (?, ?, ?, ?, ?)", (origin, status, body, detail, fetched)
        )

    def host_times(self) -> dict[str, float]:
        """When each host that asked us to wait may be asked again (seconds of the wall clock)."""
        return dict(self._database.execute("SELECT host, next_at FROM hosts"))

    def save_host_time(self, host: str, next_at: float) -> None:
        """Keep the time before which a host is left alone."""
        self._database.execute("INSERT OR REPLACE INTO hosts VALUES (?, ?)", (host, next_at))

    def archive_sizes(self) -> dict[str, int]:
        """Durable size of each archive file."""
        return dict(self._database.execute("SELECT name, bytes FROM archives ORDER BY name"))

    def save_archive_size(self, name: str, size: int) -> None:
        """Keep the durable size of an archive file."""
        self._database.execute("INSERT OR REPLACE INTO archives VALUES (?, ?)", (name, size))

    # -- counts --------------------------------------------------------------------------------------------------

    def num_pages(self) -> int:
        """Pages stored: URLs that are done and are no redirect, nor a sitemap."""
        row = self._database.execute(f"SELECT count(*) FROM urls WHERE {_IS_STORED}").fetchone()
        return int(row[0])

    def counts(self) -> dict[str, dict[str, int]]:
        """Counts by state, by reason (``state/reason``), by HTTP status, by content type, by host (the 500 largest)."""

        def table(expression: str, where: str = "1", limit: int = -1) -> dict[str, int]:
            rows = self._database.execute(
                f"SELECT {expression}, count(*) FROM urls WHERE {where} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {limit}"
            )
            return {str(name): number for name, number in rows}

        total = self._database.execute("SELECT count(*), sum(bytes) FROM urls").fetchone()
        return {
            "total": {"discovered": total[0], "pages": self.num_pages(), "bytes": total[1] or 0},
            "by_state": table("state"),
            "by_reason": table("state || CASE reason WHEN '' THEN '' ELSE '/' || reason END"),
            "by_status": table("status", "status IS NOT NULL"),
            "by_content_type": table("content_type", "content_type <> ''"),
            "by_host": table("host", _IS_STORED, limit=500),
        }

    def commit(self) -> None:
        """Make everything so far durable."""
        self._database.execute("COMMIT")
        self._database.execute("BEGIN")

    def close(self) -> None:
        """Close; what was not committed is forgotten."""
        self._database.close()
