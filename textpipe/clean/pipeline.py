"""The whole of cleaning: inputs → stages → shards.

What enters: inputs, a folder and a :class:`~textpipe.clean.config.CleanConfig`. What leaves: in the folder
``docs/part-*.jsonl.zst`` (kept), ``removed/part-*.jsonl.zst`` (dropped, each with stage, reason and detail) and
``manifest.json`` with counts. Promises: the files are the same byte for byte for any number of workers and however
often the run was interrupted; the same command goes on where the last one stopped, at most half a minute back after a
kill; a broken input gives everything before the break, keeps it, and then raises. (The one thing that depends on the
machine is a document that takes longer than the deadline: it is dropped as ``process.timeout`` and counted.)
"""

from __future__ import annotations

import functools
import itertools
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textpipe.clean.config import CleanConfig
from textpipe.clean.counts import Counts
from textpipe.clean.exact import ExactDuplicates
from textpipe.clean.inputs import Source, find_sources, iter_items
from textpipe.clean.shards import ShardWriter
from textpipe.clean.stages import Drop
from textpipe.clean.worker import Outcome, blank_document, build_worker
from textpipe.engine import Engine, Failure, LocalEngine
from textpipe.errors import FormatError, StateError, TextpipeError
from textpipe.files import MANIFEST, lock_directory, read_manifest, remove_temporaries, write_json, write_manifest
from textpipe.limits import DEFAULT_LIMITS, Limits
from textpipe.records import Document, Page, Removed

__all__ = ["CleanResult", "Cleaner", "clean"]

KIND = "clean"
_PROGRESS = "progress.json"
_SAVE_EVERY_S = 30.0

Progress = Callable[..., None]
Inputs = str | Path | Sequence[str | Path]


@dataclass(frozen=True, slots=True)
class CleanResult:
    """A finished run: its folder and the counts of its manifest."""

    out: Path
    counts: dict[str, Any]

    @property
    def kept(self) -> int:
        return int(self.counts["kept"])

    @property
    def dropped(self) -> int:
        return int(self.counts["dropped"])


def clean(
    inputs: Inputs,
    out: str | Path,
    *,
    workers: int = 1,
    engine: Engine | None = None,
    limits: Limits = DEFAULT_LIMITS,
    progress: Progress | None = None,
    **settings: Any,
) -> CleanResult:
    """Clean ``inputs`` into the folder ``out``.

    Parameters
    ----------
    inputs : crawl folders, WARC, HTML, JSONL or text files, folders of these.
    out : the folder; a run interrupted there goes on, a finished one is only read.
    workers : local processes; 0 works in this one, without deadlines.
    engine : another engine (:class:`textpipe.engine.ray.RayEngine`) instead of local processes.
    progress : called now and then as ``progress(phase, done, unit=…, **facts)``.
    **settings : the keys of :class:`~textpipe.clean.config.CleanConfig`.

    Raises
    ------
    InputError, FormatError
        when an input is absent or broken; a broken one after everything before the break was kept.
    StateError
        when ``out`` holds something else: another run's output, or one of other inputs or settings.

    Examples
    --------
    >>> clean(["crawl"], "corpus", workers=2, langs=("ko",)).kept  # doctest: +SKIP
    """
    config = CleanConfig(**settings)
    return Cleaner(inputs, out, config, workers=workers, engine=engine, limits=limits, progress=progress).run()


class Cleaner:
    """One run; see :func:`clean` for the parameters."""

    def __init__(
        self,
        inputs: Inputs,
        out: str | Path,
        config: CleanConfig | None = None,
        *,
        workers: int = 1,
        engine: Engine | None = None,
        limits: Limits = DEFAULT_LIMITS,
        progress: Progress | None = None,
    ) -> None:
        self.sources: list[Source] = find_sources(inputs)
        self.out = Path(out)
        self.config = config or CleanConfig()
        self.limits = limits
        self.engine = engine or LocalEngine(workers, deadline_s=limits.extract_timeout_s)
        self._report = progress or (lambda *_, **__: None)

    def run(self) -> CleanResult:
        """Do what is left to do, and write the manifest."""
        with lock_directory(self.out):
            finished = self._finished()
            if finished is not None:
                return finished
            remove_temporaries(self.out)
            self._take_up(self._saved_state())
            try:
                self._work()
            except (KeyboardInterrupt, TextpipeError):
                if not self._is_between:  # else counts and parts may differ by one: what was saved before stands
                    self._save()
                raise
            return self._finish()

    def _finished(self) -> CleanResult | None:
        if not (self.out / MANIFEST).exists():
            return None
        manifest = read_manifest(self.out, kind=KIND)
        self._check_same(manifest["config"], self._settings())
        return CleanResult(self.out, manifest["counts"])

    def _settings(self) -> dict[str, Any]:
        """What decides the output, as it stands in the manifest."""
        files = [{"name": source.name, "bytes": source.path.stat().st_size} for source in self.sources]
        return {**self.config.model_dump(mode="json"), "inputs": files}

    def _check_same(self, theirs: dict[str, Any], mine: dict[str, Any]) -> None:
        differing = [key for key in mine if theirs.get(key) != mine[key]]
        if differing:
            raise StateError(
                f"this folder holds the output of another {', '.join(differing)}",
                where=self.out,
                hint="name another folder with --out, or remove this one",
            )

    def _saved_state(self) -> dict[str, Any] | None:
        path = self.out / _PROGRESS
        if not path.exists():
            foreign = [
                entry.name for entry in sorted(self.out.iterdir()) if entry.name not in ("docs", "removed", ".lock")
            ]
            if foreign:
                raise StateError(
                    f"this folder is not empty ({foreign[0]})", where=self.out, hint="name a new folder with --out"
                )
            return None
        try:
            state: dict[str, Any] = json.loads(path.read_bytes())
            settings, fingerprints = dict(state["settings"]), list(state["fingerprints"])
        except (ValueError, KeyError, TypeError) as error:
            raise FormatError(
                f"not the record of a run ({error})", path=path, hint="remove the folder and start again"
            ) from None
        self._check_same(settings, self._settings())
        self._check_same({"inputs": fingerprints}, {"inputs": self._fingerprints()})
        return state

    def _fingerprints(self) -> list[dict[str, object]]:
        return [source.fingerprint() for source in self.sources]

    def _take_up(self, state: dict[str, Any] | None) -> None:
        """Start with nothing, or with what an interrupted run saved."""
        size = self.config.shard_bytes
        self.num_done = 0 if state is None else int(state["num_done"])
        self.docs = ShardWriter(self.out / "docs", shard_bytes=size, state=state and state["docs"])
        self.removed = ShardWriter(self.out / "removed", shard_bytes=size, state=state and state["removed"])
        self.counts = Counts(state and state["counts"])
        self._is_between = False  # a document is counted but not written, or written but not counted
        self.exact = ExactDuplicates()
        for line in self.docs.lines():
            self.exact(Document.from_json(line))
        self._saved_at = time.monotonic()

    def _work(self) -> None:
        items = iter_items(self.sources, text_unit=self.config.text_unit, limits=self.limits)
        rest = itertools.islice(items, self.num_done, None)
        factory = functools.partial(build_worker, self.config, self.limits)
        for item, outcome in self.engine.map(factory, rest):
            self._put(self._verdict(item, outcome))
            self._report("clean", self.num_done, unit="documents", kept=f"{self.counts.totals['kept']:,}")
            if time.monotonic() - self._saved_at > _SAVE_EVERY_S:
                self._save()

    def _verdict(self, item: Page | Document, outcome: Outcome | Failure) -> Document | Removed:
        if isinstance(outcome, Failure):
            return Removed(blank_document(item), "process", outcome.kind, outcome.detail)
        result = outcome.result
        if isinstance(result, Removed) or not self.config.deduplicate:
            return result
        verdict = self.exact(result, outcome.digest)
        return (
            Removed(result, self.exact.name, verdict.reason, verdict.detail) if isinstance(verdict, Drop) else verdict
        )

    def _put(self, result: Document | Removed) -> None:
        line = result.to_json()
        self._is_between = True
        self.counts.add(result)
        (self.removed if isinstance(result, Removed) else self.docs).add(line)
        self.num_done += 1
        self._is_between = False

    def _save(self) -> None:
        """Record where we are, after everything up to here is on the disk."""
        docs, removed = self.docs.save(), self.removed.save()
        state = {
            "settings": self._settings(),
            "fingerprints": self._fingerprints(),
            "num_done": self.num_done,
            "docs": docs,
            "removed": removed,
            "counts": self.counts.as_dict(),
        }
        write_json(self.out / _PROGRESS, state)
        self._saved_at = time.monotonic()

    def _finish(self) -> CleanResult:
        self._save()
        files = [*self.docs.paths(), *self.removed.paths()]
        counts = self.counts.as_dict()
        relative = [path.relative_to(self.out) for path in files]
        write_manifest(self.out, kind=KIND, files=relative, counts=counts, config=self._settings())
        (self.out / _PROGRESS).unlink()
        return CleanResult(self.out, counts)
