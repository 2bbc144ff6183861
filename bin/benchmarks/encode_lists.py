"""Encodings: texts as list[str] to encodings, and each of their lists read of every one of them, beside tokenizers.

What enters: a tokenizer.json of any model and files of text, cut into documents as ``bin/bench encode`` does. What
leaves: for each file the milliseconds of ``encode_batch``, of ``encode_batch_fast`` and of reading each list once; the
best of several passes, on one thread. All lists must be equal, or no figure is printed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from encode import documents

LISTS = ("ids", "tokens", "offsets", "word_ids", "type_ids", "attention_mask", "special_tokens_mask")
PACKAGES = ("textpipe", "tokenizers")


def main(arguments: list[str]) -> None:
    """Run each package in a process of its own, in turn."""
    parser = argparse.ArgumentParser(prog="bin/bench encode-lists", description=__doc__)
    parser.add_argument("tokenizer", type=Path, help="tokenizer.json")
    parser.add_argument("files", nargs="+", type=Path, help="UTF-8 text, each file a measurement of its own")
    parser.add_argument("--documents", type=int, default=2000, help="of each file, at most")
    parser.add_argument("--document-chars", type=int, default=2000, help="characters a document has, about")
    parser.add_argument("--runs", type=int, default=3, help="processes of each package")
    parser.add_argument("--package", choices=PACKAGES, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.package:
        print(json.dumps(measure(options)))
        return
    for file in options.files:
        found: dict[str, list[dict[str, Any]]] = {name: [] for name in PACKAGES}
        for _ in range(options.runs):
            for name, runs in found.items():
                runs.append(run_one(name, file, options))
        if len({run["digest"] for runs in found.values() for run in runs}) != 1:
            sys.exit(f"the lists differ of {file}")
        print_table(file, found)


def run_one(package: str, file: Path, options: argparse.Namespace) -> dict[str, Any]:
    command = [
        sys.executable,
        str(Path(__file__).with_name("run.py")),
        "encode-lists",
        str(options.tokenizer),
        str(file),
    ]
    command += ["--documents", str(options.documents), "--document-chars", str(options.document_chars)]
    environment = {**os.environ, "RAYON_NUM_THREADS": "1"}
    done = subprocess.run([*command, "--package", package], env=environment, check=True, stdout=subprocess.PIPE)
    made: dict[str, Any] = json.loads(done.stdout)
    return made


def print_table(file: Path, found: dict[str, list[dict[str, Any]]]) -> None:
    first = found["textpipe"][0]
    print(f"\n{file.name}: {first['documents']:,} documents, {first['tokens']:,} tokens, all lists alike; one thread\n")
    print(f"| milliseconds | {' | '.join(found)} |\n|---|{'---|' * len(found)}")
    for row in first["best_s"]:
        best = [min(run["best_s"][row] for run in runs) for runs in found.values()]
        print(f"| {row} | {' | '.join(f'{seconds * 1e3:.1f}' for seconds in best)} |")


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """The best times of this process, and a hash of all the lists."""
    texts = documents(options.files[0], 1 << 40, options.document_chars)[: options.documents]
    settings: dict[str, Any] = {}
    if options.package == "textpipe":
        from textpipe import Tokenizer

        settings["threads"] = 1
    else:
        from tokenizers import Tokenizer
    tokenizer = Tokenizer.from_file(str(options.tokenizer))
    best_s: dict[str, float] = {}

    def timed(row: str, call: Any) -> Any:
        start = time.perf_counter()
        result = call()
        best_s[row] = min(best_s.get(row, float("inf")), time.perf_counter() - start)
        return result

    timed("encode_batch, text never seen", lambda: tokenizer.encode_batch(texts, **settings))
    digest = hashlib.sha256()
    for turn in range(3):
        timed("encode_batch_fast", lambda: tokenizer.encode_batch_fast(texts, **settings))
        encodings = timed("encode_batch", lambda: tokenizer.encode_batch(texts, **settings))
        for name in LISTS:
            lists = timed(f".{name}", lambda name=name, made=encodings: [getattr(each, name) for each in made])
            if turn == 0:
                digest.update(repr(lists).encode())
            del lists
    tokens = sum(map(len, encodings))
    return {"documents": len(texts), "tokens": tokens, "digest": digest.hexdigest(), "best_s": best_s}
