"""Reads what the stages wrote and brings it into one record of plain numbers.

What enters: folders, told apart by the kind in their manifest or by what they hold. What leaves: :class:`Findings`, all
that the page shows, without a word of HTML. Only finished outputs count; a run that is still under way gives its curve
so far.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from textpipe import sources
from textpipe.config import load_mapping
from textpipe.errors import InputError
from textpipe.evaluation.vocabulary import VocabularyMetrics, vocabulary_metrics
from textpipe.files import MANIFEST, read_manifest
from textpipe.training.model_card import NOTHING_WRITTEN
from textpipe.training.run_config import CONFIG_NAME

__all__ = ["Artefact", "Findings", "FunnelStep", "HeldOut", "Loss", "Sample", "TrainingRun", "collect"]


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """How many there were after a step."""

    name: str
    count: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Loss:
    """How many a step left out for one reason."""

    reason: str
    stage: str
    count: int


@dataclass(frozen=True, slots=True)
class HeldOut:
    """One look at the held-out split."""

    step: int
    loss: float
    bits_per_byte: float | None  # absent where the split has no text, or the model writes none


@dataclass(frozen=True, slots=True)
class Sample:
    """Text the model wrote after ``prompt``; from a source, ``reference`` is what was expected."""

    heading: str
    prompt: str
    text: str
    reference: str = ""


@dataclass(slots=True)
class TrainingRun:
    """The log of a run: losses in nats per token by step."""

    note: str = ""
    losses: list[tuple[int, float]] = field(default_factory=list)
    rates: list[tuple[int, float]] = field(default_factory=list)
    norms: list[tuple[int, float]] = field(default_factory=list)
    held_out: list[HeldOut] = field(default_factory=list)
    unigram_entropy: float | None = None
    num_parameters: int | None = None
    samples: list[Sample] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Artefact:
    """A folder the page was made from."""

    path: str
    kind: str
    version: str
    config: str
    files: list[dict[str, Any]]

    @property
    def num_bytes(self) -> int:
        """Bytes of all its files."""
        return sum(int(entry["bytes"]) for entry in self.files)


@dataclass(slots=True)
class Findings:
    """Everything the page shows."""

    funnel: list[FunnelStep] = field(default_factory=list)
    fates: list[tuple[str, int]] = field(default_factory=list)  # what became of each URL
    losses: list[Loss] = field(default_factory=list)
    languages: list[tuple[str, int]] = field(default_factory=list)
    vocabulary: VocabularyMetrics | None = None
    training: TrainingRun | None = None
    artefacts: list[Artefact] = field(default_factory=list)


def collect(folders: Iterable[str | os.PathLike[str]]) -> Findings:
    """Read every folder; a vocabulary is measured on the corpus when both are given.

    Raises
    ------
    InputError
        when a folder is not something textpipe wrote.
    """
    found = Findings()
    tokenizer_path: Path | None = None
    corpus: Path | None = None
    for folder in map(Path, folders):
        if (folder / "log.jsonl").exists():
            found.training = _read_run(folder)
            found.artefacts.append(_run_artefact(folder))
            continue
        manifest = read_manifest(folder)
        found.artefacts.append(_artefact(folder, manifest))
        kind = manifest["kind"]
        if kind == "crawl":
            _add_crawl(found, manifest["counts"])
        elif kind == "clean":
            corpus = folder
            _add_corpus(found, manifest["counts"])
        elif kind == "train-vocab":
            tokenizer_path = folder / "tokenizer.json"
        elif kind != "pack":
            raise InputError(f'nothing to report of the output of "{kind}"', where=folder)
    if tokenizer_path is not None:
        found.vocabulary = _measure(tokenizer_path, corpus)
    return found


def _artefact(folder: Path, manifest: dict[str, Any]) -> Artefact:
    config = json.dumps(manifest["config"], ensure_ascii=False)
    return Artefact(folder.name, manifest["kind"], manifest["textpipe_version"], config, manifest["files"])


def _run_artefact(folder: Path) -> Artefact:
    """A run is never finished in the way the others are: what counts is its newest checkpoint."""
    checkpoints = sorted(path.parent for path in folder.glob(f"checkpoints/*/{MANIFEST}"))
    config = json.dumps(load_mapping(folder / CONFIG_NAME), ensure_ascii=False, default=str)
    if not checkpoints:
        return Artefact(folder.name, "run", "", config, [])
    manifest = read_manifest(checkpoints[-1])
    files = [{**entry, "path": f"{checkpoints[-1].name}/{entry['path']}"} for entry in manifest["files"]]
    return Artefact(folder.name, "run", manifest["textpipe_version"], config, files)


def _add_crawl(found: Findings, counts: dict[str, Any]) -> None:
    found.funnel.append(FunnelStep("URLs discovered", counts["total"]["discovered"]))
    found.funnel.append(FunnelStep("pages fetched", counts["total"]["pages"]))
    found.fates = [(_plain(name.replace("/", ": ")), number) for name, number in counts["by_reason"].items()]


def _add_corpus(found: Findings, counts: dict[str, Any]) -> None:
    # An archive also holds redirects and error answers: those were never pages.
    answers = counts["stages"].get("fetch", 0)
    found.funnel.append(FunnelStep("pages read", counts["documents_in"] - answers))
    found.funnel.append(FunnelStep("documents kept", counts["kept"]))
    for name, number in counts["reasons"].items():
        stage, _, reason = name.partition(".")
        if stage != "fetch":
            found.losses.append(Loss(_plain(reason), stage, number))
    found.languages = list(counts["langs"].items())


def _plain(name: str) -> str:
    return name.replace("_", " ").replace("-", " ")


def _measure(tokenizer_path: Path, corpus: Path | None) -> VocabularyMetrics:
    from textpipe.tokenizer import Tokenizer

    tokenizer = Tokenizer.from_file(str(tokenizer_path))
    return vocabulary_metrics(tokenizer, sources.iter_documents(corpus) if corpus else ())


def _read_run(folder: Path) -> TrainingRun:
    run = TrainingRun()
    speeds: list[float] = []
    looks: list[list[Sample]] = []
    for line in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        step = int(row["step"])
        if row.get("loss") is not None:
            run.losses.append((step, float(row["loss"])))
        for name, points in (("lr", run.rates), ("grad_norm", run.norms)):
            if row.get(name) is not None:
                points.append((step, float(row[name])))
        if row.get("val_loss") is not None:
            bits = row.get("val_bits_per_byte")
            run.held_out.append(HeldOut(step, float(row["val_loss"]), None if bits is None else float(bits)))
        if row.get("tokens_per_s"):
            speeds.append(float(row["tokens_per_s"]))
        run.unigram_entropy = row.get("unigram_entropy", run.unigram_entropy)
        run.num_parameters = row.get("num_parameters", run.num_parameters)
        if row.get("samples"):
            looks.append(_samples(step, row["samples"]))
    run.samples = [sample for look in _spread(looks) for sample in look]
    run.note = _describe(run, speeds)
    return run


def _samples(step: int, rows: Iterable[dict[str, str]]) -> list[Sample]:
    heading = f"after {step:,} steps"
    return [Sample(heading, row["prompt"], row["text"] or NOTHING_WRITTEN, row.get("reference", "")) for row in rows]


def _spread(looks: list[list[Sample]]) -> list[list[Sample]]:
    """The newest of several looks, the first one and one between them: how the texts came on."""
    if len(looks) < 3:
        return looks[::-1]
    return [looks[-1], looks[len(looks) // 2], looks[0]]


def _describe(run: TrainingRun, speeds: list[float]) -> str:
    parts = []
    if run.num_parameters:
        parts.append(f"{run.num_parameters:,} parameters")
    if run.losses:
        parts.append(f"{run.losses[-1][0]:,} steps")
    if speeds:
        parts.append(f"{sorted(speeds)[len(speeds) // 2]:,.0f} tokens a second (median)")
    if run.held_out:
        last = run.held_out[-1]
        parts.append(f"held-out loss {last.loss:.3f}")
        if last.bits_per_byte is not None:
            parts.append(f"{last.bits_per_byte:.3f} bits per byte")
        if run.unigram_entropy:
            parts.append(f"unigram entropy {run.unigram_entropy:.3f}")
    return ", ".join(parts) + "."
