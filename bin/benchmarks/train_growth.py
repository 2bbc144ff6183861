"""How byte-level BPE training grows with the text: prefixes of one file, each trained in a process of its own.

A row a size: seconds of each phase, nanoseconds a byte and a distinct word, peak memory. `--memory-limit` trains the
largest once more under that limit, and fails where the vocabulary differs.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from contenders import Runs, run_once
from train_vocab import SPECIAL, digest

PHASES = ("count words", "lay out words", "count pairs", "merge")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bin/bench train-growth", description=__doc__)
    parser.add_argument("file", type=Path, help="text as it is, not packed, the mixture alike throughout")
    parser.add_argument("--megabytes", type=int, nargs="+", default=[10, 20, 40, 80, 160])
    parser.add_argument("--vocab-size", type=int, default=32_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3, help="the quickest counts")
    parser.add_argument("--memory-limit", help="such as 200MB")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        print(json.dumps(learn(options)))
        return 0
    print(f"{options.vocab_size:,} entries, {options.threads} threads, the quickest of {options.runs}\n")
    print(f"| MB | distinct words | {' | '.join(f'{phase}, s' for phase in PHASES)} | ns/byte | ns/word | peak MB |")
    print("|" + "---|" * (6 + len(PHASES)))
    with tempfile.TemporaryDirectory() as scratch:
        for size in options.megabytes:
            part = Path(scratch, f"{size}.txt")
            copy_lines(options.file, size * 1_000_000, part)
            free = measure(part, options, None)
        if options.memory_limit:
            limited = measure(part, options, options.memory_limit)
            if limited != free:
                sys.exit(f"the results differ: {free}, under the limit {limited}")
            print(f"\nThe last row under {options.memory_limit}: the same vocabulary.")
    return 0


def copy_lines(file: Path, size: int, target: Path) -> None:
    """Whole lines, in blocks: what this process holds counts as the peak of what it starts."""
    with file.open("rb") as source, target.open("wb") as out:
        while size > 0 and (block := source.read(min(size, 1 << 20))):
            size -= len(block)
            out.write(block if size > 0 else block[: block.rfind(b"\n") + 1])


def measure(file: Path, options: argparse.Namespace, limit: str | None) -> str:
    """One row; returns the digest of what was learned."""
    entry = str(Path(__file__).with_name("run.py"))
    command = [sys.executable, entry, "train-growth", str(file), "--one", "--threads", str(options.threads)]
    command += ["--vocab-size", str(options.vocab_size), *(["--memory-limit", limit] if limit else [])]
    best, peak_mb = None, 0.0
    for _ in range(options.runs):
        runs = Runs(file.stem)
        run_once(runs, command)
        found = json.loads(runs.output)
        peak_mb = max(peak_mb, *runs.peak_mb)
        if best is None or sum(found["seconds"].values()) < sum(best["seconds"].values()):
            best = found
    assert best is not None
    seconds = best["seconds"]
    total, size = sum(seconds.values()), file.stat().st_size
    shown = " | ".join(f"{seconds.get(phase, 0.0):.2f}" for phase in PHASES)
    rates = f"{total / size * 1e9:.1f} | {total / best['distinct'] * 1e9:.0f}"
    print(f"| {size / 1e6:.0f} | {best['distinct']:,} | {shown} | {rates} | {peak_mb:.0f} |", flush=True)
    return str(best["digest"])


def learn(options: argparse.Namespace) -> dict[str, object]:
    from textpipe.core._native import grammar_step
    from textpipe.trainers import BpeTrainer, MemoryLimit, WordCutter, count_files, train_bpe

    marks = [("count words", time.perf_counter())]

    def progress(phase: str, *_row: object, **_facts: object) -> None:
        if marks[-1][0] != phase:
            marks.append((phase, time.perf_counter()))

    counts = count_files(
        options.file,
        WordCutter(cutting=(grammar_step(0),), byte_level=True),
        threads=options.threads,
        memory=MemoryLimit.of(options.memory_limit),
    )
    distinct = len(counts)
    marks.append(("alphabet", time.perf_counter()))
    trainer = BpeTrainer(vocab_size=options.vocab_size, special_tokens=SPECIAL, show_progress=False)
    trained = train_bpe(counts, trainer, threads=options.threads, progress=progress, release=True)
    marks.append(("", time.perf_counter()))
    return {
        "distinct": distinct,
        "seconds": {phase: end - start for (phase, start), (_, end) in pairwise(marks)},
        "digest": digest(trained.vocab, [list(pair) for pair in trained.merges]),
    }
