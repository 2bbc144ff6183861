"""Encoding: texts as list[str] to ids, textpipe and its peers with one tokenizer.json, each in a process of its own.

Every contender prints a digest of all ids; they must be equal to those of tokenizers, or no figure is printed. Cold is
the first pass over text never seen, warm the best of the passes after it; documents are whole lines of about 2,000
characters, or of as many as are asked for. Peak memory is what the process gained from before the tokenizer was loaded
to the end of the cold pass.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PACKAGES = {
    "textpipe": "textpipe",
    "gigatoken": "gigatoken",
    "snaptokens": "snaptokens",
    "quicktok": "quicktok",
    "kitoken": "kitoken",
    "tokenizers": "tokenizers",
}
Encode = Callable[[list[str]], Any]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bin/bench encode", description=__doc__)
    parser.add_argument("tokenizer", type=Path, help="tokenizer.json of a byte-level BPE")
    parser.add_argument("files", nargs="+", type=Path, help="UTF-8 text, each file a measurement of its own")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--megabytes", type=float, default=25, help="of each file")
    parser.add_argument("--document-chars", type=int, default=2000, help="characters a document has, about")
    parser.add_argument("--offsets", action="store_true", help="with the places of the tokens, compared too")
    parser.add_argument("--only", nargs="*", choices=PACKAGES, default=list(PACKAGES))
    parser.add_argument("--one", choices=PACKAGES, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        print(json.dumps(measure(options.one, options)))
        return 0
    able = PLACING if options.offsets else LOADERS
    names = [name for name in options.only if name in able and importlib.util.find_spec(PACKAGES[name])]
    for file in options.files:
        for threads in options.threads:
            compare(file, threads, names, options)
    return 0


def compare(file: Path, threads: int, names: list[str], options: argparse.Namespace) -> None:
    found: dict[str, list[dict[str, Any]]] = {}
    for _ in range(options.runs):
        for name in names:
            made = run_one(name, file, threads, options)
            if made is None:
                print(f"{name} cannot load this tokenizer", file=sys.stderr)
                names = [each for each in names if each != name]
            else:
                found.setdefault(name, []).append(made)
    digests = {name: {run["digest"] for run in runs} for name, runs in found.items()}
    if len(set().union(*digests.values())) != 1:
        sys.exit(f"the ids differ: {digests}")
    first = next(iter(found.values()))[0]
    print(
        f"\n{file.name}: {first['bytes'] / 1e6:.1f} MB, {first['documents']:,} documents, {first['ids']:,} ids alike; "
        f"{threads} thread{'s' if threads > 1 else ''}, best of {options.runs} processes\n"
    )
    print("| | cold MB/s | warm MB/s | load s | peak MB |\n|---|---|---|---|---|")
    for name, runs in found.items():
        cold, warm = (max(run["bytes"] / 1e6 / run[kind] for run in runs) for kind in ("cold_s", "warm_s"))
        load, peak = (min(run[kind] for run in runs) for kind in ("load_s", "peak_mb"))
        print(f"| {name} | {cold:.0f} | {warm:.0f} | {load:.3f} | {peak:.0f} |")


def run_one(name: str, file: Path, threads: int, options: argparse.Namespace) -> dict[str, Any] | None:
    command = [sys.executable, str(Path(__file__).with_name("run.py")), "encode", str(options.tokenizer), str(file)]
    command += ["--threads", str(threads), "--megabytes", str(options.megabytes), "--one", name]
    command += ["--document-chars", str(options.document_chars)]
    command += ["--offsets"] if options.offsets else []
    environment = {**os.environ, "RAYON_NUM_THREADS": str(threads), "TOKENIZERS_PARALLELISM": "true"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(done.stderr[-600:])
        return None
    made: dict[str, Any] = json.loads(done.stdout)
    return made


def measure(name: str, options: argparse.Namespace) -> dict[str, Any]:
    texts = documents(options.files[0], int(options.megabytes * 1e6), options.document_chars)
    before = peak_mb()
    start = time.perf_counter()
    encode = (PLACING if options.offsets else LOADERS)[name](options.tokenizer, options.threads[0])
    encode(["the first text builds what is built late"])
    load_s = time.perf_counter() - start
    seconds = []
    for _ in range(2 if name == "tokenizers" else 6):
        start = time.perf_counter()
        result = encode(texts)
        seconds.append(time.perf_counter() - start)
        if len(seconds) == 1:
            gained = peak_mb() - before
            ids = flat(result)
            digest = hashlib.sha256(ids.tobytes() + (places(result).tobytes() if options.offsets else b""))
        del result
    return {
        "digest": digest.hexdigest(),
        "ids": len(ids),
        "documents": len(texts),
        "bytes": sum(len(text.encode()) for text in texts),
        "load_s": load_s,
        "cold_s": seconds[0],
        "warm_s": min(seconds[1:]),
        "peak_mb": gained,
    }


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def documents(file: Path, num_bytes: int, chars: int) -> list[str]:
    texts: list[str] = []
    lines: list[str] = []
    size = total = 0
    with file.open(encoding="utf-8") as source:
        for line in source:
            lines.append(line)
            size += len(line)
            if size >= chars:
                texts.append("".join(lines))
                total += len(texts[-1].encode())
                lines, size = [], 0
                if total >= num_bytes:
                    break
    return [*texts, "".join(lines)] if lines else texts


def flat(result: Any) -> Any:
    """All ids as one array of uint32."""
    import numpy as np

    if hasattr(result, "begins"):
        return result.ids
    if isinstance(result, tuple):
        result = result[0]
    if isinstance(result, bytes):
        return np.frombuffer(result, dtype=np.uint32)
    if hasattr(result, "layout"):  # an awkward array
        import awkward as ak

        return np.asarray(ak.flatten(result), dtype=np.uint32)
    if isinstance(result, np.ndarray):
        return result.astype(np.uint32)
    rows = (getattr(row, "ids", row) for row in result)
    return np.array([number for row in rows for number in row], dtype=np.uint32)


def places(result: Any) -> Any:
    """Where each token begins and ends, a row each."""
    import numpy as np

    if hasattr(result, "begins"):
        return np.stack([result.begins, result.ends], axis=1)
    return np.array([place for row in result for place in row.offsets], dtype=np.uint32)


def load_textpipe(tokenizer: Path, threads: int) -> Encode:
    from textpipe import Tokenizer

    made = Tokenizer.from_file(str(tokenizer))
    return lambda texts: made.encode_to_numpy(texts, threads=threads)


def load_gigatoken(tokenizer: Path, threads: int) -> Encode:
    import gigatoken

    made = gigatoken.Tokenizer(str(tokenizer))
    return lambda texts: made.encode_batch(texts, parallel=threads > 1)


def load_snaptokens(tokenizer: Path, threads: int) -> Encode:
    import snaptokens

    made = snaptokens.Tokenizer.from_file(str(tokenizer))
    return made.encode_batch_flat


def load_quicktok(tokenizer: Path, threads: int) -> Encode:
    import quicktok

    made = quicktok.import_tokenizer(str(tokenizer), "measured")
    return made.encode_batch


def load_kitoken(tokenizer: Path, threads: int) -> Encode:
    import kitoken

    made = kitoken.Kitoken.from_tokenizers_file(str(tokenizer))
    return made.encode_all


def load_tokenizers(tokenizer: Path, threads: int) -> Encode:
    import tokenizers

    made = tokenizers.Tokenizer.from_file(str(tokenizer))
    return made.encode_batch_fast


def load_textpipe_placing(tokenizer: Path, threads: int) -> Encode:
    from textpipe import Tokenizer

    made = Tokenizer.from_file(str(tokenizer))
    return lambda texts: made.encode_spans_to_numpy(texts, threads=threads)


def load_tokenizers_placing(tokenizer: Path, threads: int) -> Encode:
    import tokenizers

    made = tokenizers.Tokenizer.from_file(str(tokenizer))
    return made.encode_batch


LOADERS: dict[str, Callable[[Path, int], Encode]] = {
    "textpipe": load_textpipe,
    "gigatoken": load_gigatoken,
    "snaptokens": load_snaptokens,
    "quicktok": load_quicktok,
    "kitoken": load_kitoken,
    "tokenizers": load_tokenizers,
}
PLACING: dict[str, Callable[[Path, int], Encode]] = {
    "textpipe": load_textpipe_placing,
    "tokenizers": load_tokenizers_placing,
}
