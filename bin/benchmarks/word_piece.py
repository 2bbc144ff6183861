"""WordPiece: texts as list[str] to ids, one BERT tokenizer.json in textpipe, nanotoken and tokenizers, one thread.

Every contender runs in a process of its own and prints a digest of all ids; they must be equal, or no figure is
printed. Cold is the first pass over text never seen, warm the best of three after it; tokenizers makes one pass, for
the ids. Documents are whole lines of about 2,000 characters. Without --tokenizer one is trained on the files first,
uncased, with 30,000 entries.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

CONTENDERS = ("textpipe", "nanotoken", "tokenizers")
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bin/bench word-piece", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, help="UTF-8 text, each file a measurement of its own")
    parser.add_argument("--tokenizer", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--megabytes", type=float, default=25, help="of each file")
    parser.add_argument("--only", nargs="*", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--one", choices=CONTENDERS, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        print(json.dumps(measure(options.one, options)))
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        if options.tokenizer is None:
            options.tokenizer = train(options.files, Path(scratch, "tokenizer.json"))
        for file in options.files:
            compare(file, options)
    return 0


def train(files: list[Path], path: Path) -> Path:
    from textpipe import Tokenizer
    from textpipe.models import WordPiece
    from textpipe.normalizers import BertNormalizer
    from textpipe.pre_tokenizers import BertPreTokenizer
    from textpipe.trainers import WordPieceTrainer

    tokenizer = Tokenizer(WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = BertNormalizer(), BertPreTokenizer()
    tokenizer.train(
        [str(file) for file in files],
        WordPieceTrainer(vocab_size=30_000, special_tokens=SPECIAL, show_progress=False),
    )
    tokenizer.save(path)
    return path


def compare(file: Path, options: argparse.Namespace) -> None:
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in options.only}
    for number in range(options.runs):
        for name, rows in found.items():
            if number == 0 or name != "tokenizers":  # which is there for the ids; once will do
                rows.append(run_one(name, file, options))
    digests = {name: rows[0]["digest"] for name, rows in found.items()}
    if len(set(digests.values())) != 1:
        sys.exit(f"{file.name}: the ids differ: {digests}")
    first = next(iter(found.values()))[0]
    print(f"\n{file.name}: {first['bytes'] / 1e6:.1f} MB, {first['num_ids']:,} ids, all alike ({first['digest'][:16]})")
    print("| | cold MB/s | warm MB/s | × first, cold |\n|---|---|---|---|")
    best = {name: min(row["cold_s"] for row in rows) for name, rows in found.items()}
    for name, rows in found.items():
        warm = min(row["warm_s"] for row in rows)
        ratio = best[name] / best[options.only[0]]
        print(f"| {name} | {first['bytes'] / best[name] / 1e6:.1f} | {first['bytes'] / warm / 1e6:.1f} | {ratio:.2f} |")


def run_one(name: str, file: Path, options: argparse.Namespace) -> dict[str, Any]:
    entry = str(Path(__file__).with_name("run.py"))
    flags = ["--tokenizer", str(options.tokenizer), "--megabytes", str(options.megabytes), "--one", name]
    output = subprocess.run(
        [sys.executable, entry, "word-piece", str(file), *flags], check=True, stdout=subprocess.PIPE
    ).stdout
    made: dict[str, Any] = json.loads(output)
    return made


def measure(name: str, options: argparse.Namespace) -> dict[str, Any]:
    import numpy as np

    texts = documents(options.files[0], int(options.megabytes * 1e6))
    encode = encoder(name, options.tokenizer)
    encode(["warm-up"])
    times = []
    for _ in range(1 if name == "tokenizers" else 4):
        start = time.perf_counter()
        ids = encode(texts)
        times.append(time.perf_counter() - start)
    flat = np.asarray(ids, dtype=np.uint32)
    return {
        "cold_s": times[0],
        "warm_s": min(times[1:] or times),
        "bytes": sum(len(text.encode()) for text in texts),
        "num_ids": len(flat),
        "digest": hashlib.sha256(flat.tobytes()).hexdigest(),
    }


def encoder(name: str, path: Path) -> Callable[[list[str]], Any]:
    import numpy as np

    if name == "textpipe":
        from textpipe import Tokenizer

        ours = Tokenizer.from_file(path)
        return lambda texts: ours.encode_to_numpy(texts, threads=1)[0]
    if name == "nanotoken":
        import nanotoken

        theirs = nanotoken.Tokenizer.from_json(path.read_text(encoding="utf-8"))
        return lambda texts: theirs.encode_batch(texts, add_special_tokens=False, parallel=False).ids
    os.environ["RAYON_NUM_THREADS"] = "1"
    import tokenizers

    oracle = tokenizers.Tokenizer.from_file(str(path))
    return lambda texts: np.fromiter(
        (number for row in oracle.encode_batch_fast(texts) for number in row.ids), dtype=np.uint32
    )


def documents(file: Path, num_bytes: int) -> list[str]:
    """Whole lines put together until there are about 2,000 characters."""
    with file.open("rb") as source:
        lines = source.read(num_bytes).decode(errors="ignore").splitlines(keepends=True)
    made, part, size = [], [], 0
    for line in lines:
        part.append(line)
        size += len(line)
        if size >= 2000:
            made.append("".join(part))
            part, size = [], 0
    return [*made, "".join(part)] if part else made
