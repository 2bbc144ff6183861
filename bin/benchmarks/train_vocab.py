"""Byte-level BPE training: textpipe, gigabpe and tokenizers on the same files, 2 threads, whole processes.

Every contender prints a digest of its vocabulary and merges; they must be equal, or no figure is printed. Packed files
(.zst) are inflated to a scratch folder first, since not all contenders read them. `--phases` says where textpipe's time
goes.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from contenders import print_table, run_in_turn

SPECIAL = ["<|endoftext|>"]
CONTENDERS = ("textpipe", "gigabpe", "tokenizers")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bin/bench train-vocab", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--vocab-size", type=int, default=32_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", nargs="*", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--phases", action="store_true")
    parser.add_argument("--one", choices=CONTENDERS, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        print(digest(*learn(options.one, options)))
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        options.files = [inflate(file, Path(scratch)) for file in options.files]
        size = sum(file.stat().st_size for file in options.files)
        print(f"{size / 1e6:.1f} MB of text, {options.vocab_size:,} entries, {options.threads} threads")
        if options.phases:
            return phases(options)
        names = [name for name in options.only if importlib.util.find_spec(name)]
        commands = {name: command(name, options) for name in names}
        table = run_in_turn(commands, options.runs)
    if len({runs.output for runs in table.values()}) != 1:
        sys.exit("the results differ: " + ", ".join(f"{r.name} {r.output.strip()}" for r in table.values()))
    print(f"all alike: {next(iter(table.values())).output.strip()}")
    print_table(table)
    return 0


def command(name: str, options: argparse.Namespace) -> list[str]:
    entry = str(Path(__file__).with_name("run.py"))
    flags = ["--vocab-size", str(options.vocab_size), "--threads", str(options.threads), "--one", name]
    return [sys.executable, entry, "train-vocab", *map(str, options.files), *flags]


def inflate(file: Path, scratch: Path) -> Path:
    if file.suffix not in (".zst", ".gz"):
        return file
    from textpipe.sources import read_blocks

    target = scratch / file.stem
    with target.open("wb") as out:
        out.writelines(read_blocks(file))
    return target


def learn(name: str, options: argparse.Namespace) -> tuple[dict[str, int], list[list[str]]]:
    files = [str(file) for file in options.files]
    if name == "textpipe":
        from textpipe.core._native import grammar_step
        from textpipe.trainers import BpeTrainer, WordCutter, count_files, train_bpe

        counts = count_files(files, WordCutter(cutting=(grammar_step(0),), byte_level=True), threads=options.threads)
        trainer = BpeTrainer(vocab_size=options.vocab_size, special_tokens=SPECIAL, show_progress=False)
        trained = train_bpe(counts, trainer, threads=options.threads, release=True)
        return trained.vocab, [list(pair) for pair in trained.merges]
    if name == "gigabpe":
        import gigabpe

        vocab, merges = gigabpe.train_bpe(
            files, options.vocab_size, special_tokens=SPECIAL, pretokenizer="bytelevel", threads=options.threads
        )
        return vocab, [list(pair) for pair in merges]
    os.environ["RAYON_NUM_THREADS"] = str(options.threads)
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.train(
        files, trainers.BpeTrainer(vocab_size=options.vocab_size, special_tokens=SPECIAL, show_progress=False)
    )
    trained_model = json.loads(tokenizer.to_str())["model"]
    return trained_model["vocab"], trained_model["merges"]


def digest(vocab: dict[str, int], merges: list[list[str]]) -> str:
    rows = json.dumps([sorted(vocab.items()), merges])
    return f"{len(vocab)} entries, {len(merges)} merges, sha256 {hashlib.sha256(rows.encode()).hexdigest()}"


def phases(options: argparse.Namespace) -> int:
    """Seconds of each phase of textpipe, from its own progress calls."""
    from textpipe.core._native import grammar_step
    from textpipe.trainers import BpeTrainer, WordCutter, count_files, train_bpe

    marks: list[tuple[str, float]] = []

    def progress(phase: str, *_row: object, **_facts: object) -> None:
        if not marks or marks[-1][0] != phase:
            marks.append((phase, time.perf_counter()))

    marks.append(("count words", time.perf_counter()))
    counts = count_files(
        options.files, WordCutter(cutting=(grammar_step(0),), byte_level=True), threads=options.threads
    )
    print(f"{counts.num_occurrences:,} words, {len(counts):,} distinct, {counts.memory_bytes / 1e6:.0f} MB of counts")
    marks.append(("alphabet", time.perf_counter()))
    trainer = BpeTrainer(vocab_size=options.vocab_size, special_tokens=SPECIAL, show_progress=False)
    train_bpe(counts, trainer, threads=options.threads, progress=progress, release=True)
    marks.append(("", time.perf_counter()))
    for (phase, start), (_, end) in pairwise(marks):
        print(f"{phase}\t{end - start:.3f} s")
    return 0
