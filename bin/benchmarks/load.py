"""How long it takes to load a tokenizer.json, to its first ids, and the memory of the process then.

What enters: a tokenizer.json; by default one of 200,000 pieces is made of byte strings that a seed fixes, with the
merges of all their halves. What leaves: for each package the seconds of the quickest of several loads, and megabytes.
The first ids of all must be equal.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TEXT = "안녕하세요 it's 2024 한국어"
PACKAGES = ("textpipe", "tokenizers")


def main(arguments: list[str]) -> None:
    """Run each package in a process of its own, in turn."""
    parser = argparse.ArgumentParser(prog="bin/bench load")
    parser.add_argument("file", nargs="?", type=Path, help="a tokenizer.json")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--package", choices=PACKAGES, help="measure this one in this process")
    options = parser.parse_args(arguments)
    if options.package:
        print(json.dumps(measure(options.package, str(options.file), options.runs)))
        return
    with tempfile.TemporaryDirectory() as folder:
        file = options.file or make_file(Path(folder) / "tokenizer.json")
        rows = {name: ([], []) for name in PACKAGES}
        ids = set()
        for _ in range(3):
            for name, (seconds, megabytes) in rows.items():
                command = [sys.executable, __file__, str(file), "--runs", str(options.runs), "--package", name]
                found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
                seconds.append(found["seconds"])
                megabytes.append(found["megabytes"])
                ids.add(tuple(found["ids"]))
        assert len(ids) == 1, "the packages give different ids"
    print("| package | seconds | range | peak MB |\n|---|---|---|---|")
    for name, (seconds, megabytes) in rows.items():
        print(f"| {name} | {min(seconds):.3f} | {min(seconds):.3f}–{max(seconds):.3f} | {min(megabytes):.0f} |")


def measure(package: str, file: str, runs: int) -> dict[str, object]:
    """The quickest load and first ids in this process; its peak memory after one load."""
    if package == "textpipe":
        from textpipe import Tokenizer
    else:
        from tokenizers import Tokenizer
    times, peak, ids = [], 0.0, []
    for _ in range(runs):
        start = time.perf_counter()
        tokenizer = Tokenizer.from_file(file)
        ids = tokenizer.encode(TEXT).ids
        times.append(time.perf_counter() - start)
        peak = peak or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        del tokenizer
    return {"seconds": min(times), "megabytes": peak, "ids": ids}


def make_file(path: Path, num_pieces: int = 200_000) -> Path:
    """A byte-level tokenizer of pieces put together at random from shorter ones."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    draw = random.Random(7)
    pieces = sorted(pre_tokenizers.ByteLevel.alphabet())
    known, merges = set(pieces), []
    while len(pieces) < num_pieces:
        left, right = draw.choice(pieces), draw.choice(pieces[:5000])
        if len(left + right) <= 16 and left + right not in known:
            known.add(left + right)
            pieces.append(left + right)
            merges.append((left, right))
    tokenizer = Tokenizer(models.BPE({piece: number for number, piece in enumerate(pieces)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.save(str(path))
    return path


if __name__ == "__main__":
    main(sys.argv[1:])
