"""Broken files of every format: read by the loaders, mutated by atheris.

What enters: bytes that a fuzzer made up, or a JSON tree it has bent. What leaves: nothing; a run ends where a file
gives anything but a tokenizer or an error of textpipe's own, takes more than a second, or is written and read back as
something else.
"""

from __future__ import annotations

import contextlib
import json
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports(include=["textpipe"]):
    from textpipe import Tokenizer, formats
    from textpipe.errors import TextpipeError

SECONDS = 1.0
TEXT = "안녕하세요 ㅋㅋ it's <s> 한국어\n\n  12345 [CLS] \U0001f468\u200d\U0001f469"
SUFFIXES = ("tokenizer.json", "gpt2.tiktoken", "vocab.txt", "vocab.json", "merges.txt", "x.model")
VALUES = [
    None, True, False, 0, 1, -1, 2**31, 2**63, 2**64, 1 << 70, 0.5, -1.0, 1e308, "", "a", "가", "\x00", "\ud800", "a b",
    "##", "</w>", "(", "(a+)+$", "[[:alpha:]]", "\\p{L}+", "▁", "Always", "Removed", [], {}, [[]], [["a", "b"]],
    {"type": "Sequence"}, {"type": "BPE"}, {"type": "Unigram"}, {"String": ""}, {"Regex": "("}, "x" * 5000,
]  # fmt: skip
folder = Path(tempfile.mkdtemp(prefix="fuzz-"))


def one_input(data: bytes) -> None:
    """Read one file by its content; what loads must encode, and be written and read back as it is."""
    if not data:
        return
    name, data = SUFFIXES[data[0] % len(SUFFIXES)], data[1:]
    (folder / "vocab.json").write_bytes(b'{"a":0,"b":1,"ab":2}')
    (folder / "merges.txt").write_bytes(b"#version: 0.2\na b\n")
    path = folder / name
    path.write_bytes(data)
    start = time.process_time()
    try:
        tokenizer = Tokenizer.from_file(path)
    except TextpipeError:
        return
    finally:
        seconds = time.process_time() - start
        assert seconds < SECONDS, f"{seconds:.1f} s to read {len(data)} bytes"
    with contextlib.suppress(TextpipeError):  # a model without an unknown piece, a pattern without end
        tokenizer.decode(tokenizer.encode(TEXT).ids, skip_special_tokens=False)
        tokenizer.encode_to_numpy([TEXT, ""])
    text = tokenizer.to_str()
    assert Tokenizer.from_str(text).to_str() == text, "written, it reads back as something else"
    for format in formats.FORMATS:
        with contextlib.suppress(TextpipeError):
            formats.losses(tokenizer.parts, format)


def bend(data: bytes, most: int, seed: int) -> bytes:
    """Change a value, a key or an order of a JSON tree; any other bytes are mutated as they are."""
    draw = random.Random(seed)
    try:
        if draw.random() < 0.2:
            raise ValueError
        tree = json.loads(data[1:])
        for _ in range(draw.choice((1, 1, 2, 4))):
            tree = _bend_once(tree, draw)
        made = data[:1] + json.dumps(tree, ensure_ascii=draw.random() < 0.5).encode("utf-8", "surrogatepass")
    except (ValueError, RecursionError):
        return bytes(atheris.Mutate(data, most))
    return made if len(made) <= most else bytes(atheris.Mutate(data, most))


def _bend_once(tree: Any, draw: random.Random) -> Any:
    places = list(_places(tree))
    if not places:
        return draw.choice(VALUES)
    parent, key = draw.choice(places)
    action = draw.randrange(6)
    if action == 0:
        parent[key] = draw.choice(VALUES)
    elif action == 1:
        del parent[key]
    elif action == 2:
        other, other_key = draw.choice(places)
        parent[key] = json.loads(json.dumps(other[other_key]))
    elif action == 3 and isinstance(parent, list):
        parent.insert(draw.randrange(len(parent) + 1), json.loads(json.dumps(parent[key])))
    elif action == 4 and isinstance(parent, dict):
        parent[str(draw.choice(VALUES))[:20]] = parent.pop(key)
    elif isinstance(parent[key], str):
        text = parent[key]
        at = draw.randrange(len(text) + 1)
        parent[key] = text[:at] + str(draw.choice(VALUES))[:8] + text[at + draw.randrange(2) :]
    elif isinstance(parent[key], int):
        parent[key] += draw.choice((-1, 1, 255, 1 << 24))
    return tree


def _places(tree: Any) -> Any:
    if isinstance(tree, dict | list):
        for key in tree if isinstance(tree, dict) else range(len(tree)):
            yield tree, key
            yield from _places(tree[key])


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input, custom_mutator=bend)
    atheris.Fuzz()
