"""What ``textpipe train-vocab`` says at its end, and beforehand with ``--dry-run``: rows for a person, or JSON.

What enters: finished vocabularies, counts, or a forecast. What leaves: text on standard output.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textpipe.cli.progress import duration
from textpipe.cli.rows import print_rows

if TYPE_CHECKING:
    from textpipe.trainers import WordCounts
    from textpipe.vocabulary import Forecast, VocabConfig, Vocabulary

__all__ = ["show_counts", "show_forecast", "show_vocabularies"]


def show_vocabularies(made: Sequence[Vocabulary], *, as_json: bool) -> None:
    """The figures of every vocabulary that was made, the smallest first."""
    if as_json:
        print_json(vocabularies=[{"path": str(each.path), "files": _files(each.path), **each.counts} for each in made])
        return
    for vocabulary in made:
        print_rows(_rows(vocabulary))


def _rows(vocabulary: Vocabulary) -> Iterator[tuple[str, ...]]:
    from textpipe.vocabulary import shortfall

    counts = vocabulary.counts
    merges = (f"{counts['merges']:,} merges",) if counts["merges"] else ()
    yield "vocabulary", f"{counts['vocab_size']:,} entries", *merges
    if missing := shortfall(counts).strip():
        yield "note", missing
    if "replaced" in counts:
        yield "note", f"{counts['replaced']:,} runs of bytes that are not UTF-8 were replaced"
    if "words" in counts:
        yield "words", f"{counts['words']:,}", f"{counts['distinct_words']:,} distinct"
    for lang, fit in counts["languages"].items():
        per_word = fit["num_tokens"] / max(fit["num_words"], 1)
        name = "other" if lang == "und" else lang
        yield name, f"{fit['bytes_per_token']:.2f} bytes per token", f"{per_word:.2f} tokens per word"
    for script, pieces in counts["scripts"].items():
        yield script, f"{pieces:,} pieces"
    for which in ("first", "last"):
        if counts[f"{which}_merges"]:
            yield f"{which} merges", "  ".join(counts[f"{which}_merges"])
    for name, rows in counts["lost"].items():
        for row in rows:
            yield "lost", f"{name}: {row}"
    yield "wrote", f"{vocabulary.path}: {', '.join(_files(vocabulary.path))}"


def _files(folder: Path) -> list[str]:
    return sorted(path.name + "/" * path.is_dir() for path in folder.iterdir())


def show_counts(counts: WordCounts, file: Path, *, as_json: bool) -> None:
    """What was counted, where nothing is trained."""
    if as_json:
        print_json(path=str(file), words=counts.num_occurrences, distinct_words=len(counts))
        return
    print_rows([("words", f"{counts.num_occurrences:,}", f"{len(counts):,} distinct"), ("wrote", str(file))])


def show_forecast(
    expected: Forecast, config: VocabConfig, sizes: Sequence[int], written: Sequence[str], *, as_json: bool
) -> None:
    """What a training would read, with what settings, what it would take and what it would write."""
    from textpipe.trainers.memory import megabytes

    settings = config.model_dump(mode="json", exclude_none=True, exclude={"vocab_size"})
    if as_json:
        print_json(dry_run=True, vocab_sizes=list(sizes), settings=settings, **asdict(expected), files=list(written))
        return
    rows: list[tuple[str, ...]] = [("read", f"{expected.num_files:,} files", f"{expected.disk_bytes:,} bytes on disk")]
    rows += [("vocab_size", ", ".join(map(str, sizes)))]
    rows += [(name, json.dumps(value, ensure_ascii=False)) for name, value in settings.items()]
    rows += [
        ("words", f"about {expected.num_words:,} distinct, by a sample of {expected.sample_bytes:,} bytes"),
        ("memory", f"about {megabytes(expected.memory_bytes)}{expected.verdict}"),
        ("time", f"about {duration(expected.cpu_seconds)} of one processor"),
        *(("write", name) for name in written),
    ]
    print_rows(rows)


def print_json(**row: Any) -> None:
    """One object on one line, which says what version of itself it is."""
    print(json.dumps({"schema_version": 1, **row}, ensure_ascii=False))
