"""bin/bench sentencepiece FILES…: encoding with models of sentencepiece, beside sentencepiece itself.

What enters: text files; on the beginning of each, models are trained by sentencepiece. What leaves: a table of
megabytes of UTF-8 a second of processor time, one thread, the best of several runs: cold (a new tokenizer that has seen
no text) and warm. The ids of every contender, as arrays, are compared before anything is timed; both run in one
process, in turn.
"""

from __future__ import annotations

import argparse
import io
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import sentencepiece

from textpipe import Tokenizer
from textpipe.formats import sentencepiece as model_files

DOCUMENT_CHARS = 2000


def documents(path: str, num_bytes: int) -> list[str]:
    """The text of a file, in documents of some 2,000 characters."""
    text = Path(path).read_bytes()[:num_bytes].decode("utf-8", "ignore")
    return [text[start : start + DOCUMENT_CHARS] for start in range(0, len(text), DOCUMENT_CHARS)]


def train(path: str, algorithm: str, vocab_size: int, num_bytes: int) -> bytes:
    """A .model, trained on the first bytes of a file."""
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(documents(path, num_bytes)), model_writer=written, vocab_size=vocab_size,
        model_type=algorithm, minloglevel=2, max_sentence_length=1 << 20, hard_vocab_limit=False,
    )  # fmt: skip
    return written.getvalue()


def seconds(work: Callable[[], Any]) -> float:
    """The processor time one call takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def measure(model: bytes, texts: list[str], num_runs: int) -> dict[str, float]:
    """The least seconds of each contender."""
    theirs = sentencepiece.SentencePieceProcessor(model_proto=model)
    ours = Tokenizer.from_parts(model_files.read(model, path="model"))
    ids, offsets = ours.encode_to_numpy(texts, threads=1)
    for number, expected in enumerate(theirs.encode(texts, num_threads=1, return_type="numpy")):
        if not np.array_equal(ids[offsets[number] : offsets[number + 1]], expected):
            sys.exit(f"document {number} has other ids")
    best: dict[str, float] = {}
    for _ in range(num_runs):
        fresh = Tokenizer.from_parts(model_files.read(model, path="model"))
        fresh.encode_to_numpy(["."], threads=1)  # builds the tables, which is loading and not encoding
        runs = {
            "textpipe, cold": seconds(lambda tokenizer=fresh: tokenizer.encode_to_numpy(texts, threads=1)),
            "textpipe, warm": seconds(lambda tokenizer=fresh: tokenizer.encode_to_numpy(texts, threads=1)),
            "sentencepiece": seconds(lambda: theirs.encode(texts, num_threads=1, return_type="numpy")),
        }
        best = {name: min(taken, best.get(name, taken)) for name, taken in runs.items()}
    return best


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bin/bench sentencepiece", description=__doc__)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--vocab-size", type=int, default=32_000)
    parser.add_argument("--train-bytes", type=int, default=4_000_000)
    parser.add_argument("--bytes", type=int, default=25_000_000, help="of each file to encode")
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args(arguments)
    print("| model | text | contender | MB/s | × sentencepiece |\n|---|---|---|---|---|")
    for algorithm in ("unigram", "bpe"):
        for path in given.files:
            texts = documents(path, given.bytes)
            size = sum(len(text.encode()) for text in texts) / 1e6
            best = measure(train(path, algorithm, given.vocab_size, given.train_bytes), texts, given.runs)
            for name, taken in best.items():
                ratio = best["sentencepiece"] / taken
                print(f"| {algorithm} | {Path(path).name} | {name} | {size / taken:.1f} | {ratio:.2f} |", flush=True)
    return 0
