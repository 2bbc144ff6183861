"""Unigram training: textpipe and sentencepiece on the same files, whole processes, on the processors given by taskset.

Both contenders print a digest of their pieces and of the float32 scores; they must be equal, or no figure is printed.
Lines are taken as they are (the identity normalization), so that the trainers are compared and not the normalizers.
`--phases` says where textpipe's time goes.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import sys
import time
from itertools import pairwise
from pathlib import Path

from contenders import print_table, run_in_turn

RESERVED = ("<unk>", "<s>", "</s>")
CONTENDERS = ("textpipe", "sentencepiece")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bin/bench train-unigram", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, help="text, one sentence a line")
    parser.add_argument("--vocab-size", type=int, default=32_000)
    parser.add_argument("--threads", type=int, default=2, help="of textpipe; sentencepiece uses all it is given")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", nargs="*", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--phases", action="store_true")
    parser.add_argument("--one", choices=CONTENDERS, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        print(digest(theirs(options) if options.one == "sentencepiece" else ours(options)))
        return 0
    size = sum(file.stat().st_size for file in options.files)
    print(f"{size / 1e6:.1f} MB of text, {options.vocab_size:,} entries, {options.threads} threads")
    if options.phases:
        return phases(options)
    table = run_in_turn({name: command(name, options) for name in options.only}, options.runs)
    if len({runs.output for runs in table.values()}) != 1:
        sys.exit("the results differ: " + ", ".join(f"{r.name} {r.output.strip()}" for r in table.values()))
    print(f"all alike: {next(iter(table.values())).output.strip()}")
    print_table(table)
    return 0


def command(name: str, options: argparse.Namespace) -> list[str]:
    entry = str(Path(__file__).with_name("run.py"))
    flags = ["--vocab-size", str(options.vocab_size), "--threads", str(options.threads), "--one", name]
    return [sys.executable, entry, "train-unigram", *map(str, options.files), *flags]


def ours(options: argparse.Namespace, progress: object = None) -> list[tuple[str, float]]:
    from textpipe.trainers import SentenceReader, UnigramTrainer, read_sentence_files, train_unigram

    sentences = read_sentence_files(options.files, SentenceReader(reserved=RESERVED), progress=progress)
    trainer = UnigramTrainer(
        vocab_size=options.vocab_size,
        special_tokens=RESERVED,
        unk_token="<unk>",
        compat="sentencepiece",
        show_progress=False,
    )
    return train_unigram(sentences, trainer, threads=options.threads, progress=progress, release=True).vocab


def theirs(options: argparse.Namespace) -> list[tuple[str, float]]:
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        input=[str(file) for file in options.files],
        model_writer=model,
        vocab_size=options.vocab_size,
        normalization_rule_name="identity",
        minloglevel=3,
    )
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    return [(processor.id_to_piece(i), processor.get_score(i)) for i in range(processor.get_piece_size())]


def digest(vocab: list[tuple[str, float]]) -> str:
    return f"{len(vocab)} pieces, sha256 of pieces and scores {hashlib.sha256(repr(vocab).encode()).hexdigest()}"


def phases(options: argparse.Namespace) -> int:
    """Seconds of each phase of textpipe, from its own progress calls."""
    marks: list[tuple[str, float]] = [("start", time.perf_counter())]

    def progress(phase: str, *_row: object, **_facts: object) -> None:
        if marks[-1][0] != phase:
            marks.append((phase, time.perf_counter()))

    ours(options, progress)
    marks.append(("", time.perf_counter()))
    for (phase, start), (_, end) in pairwise(marks):
        print(f"{phase}\t{end - start:.3f} s")
    return 0
