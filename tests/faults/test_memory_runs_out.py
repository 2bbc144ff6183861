"""Memory that runs out is a MemoryError, wherever it does, and never the end of the process."""

from __future__ import annotations

import subprocess
import sys

import pytest

LIMITED = """
import resource
from pathlib import Path
from textpipe import Tokenizer, models, normalizers, pre_tokenizers
from textpipe.errors import TextpipeError

text = "a" * 10_000_000

def encoder(normalizer=None, pre_tokenizer=None):
    tokenizer = Tokenizer(models.BPE({"a": 0, "b": 1}, []))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, pre_tokenizer
    return tokenizer

cases = {
    "prepend": lambda: encoder(normalizers.Prepend(text)).encode_to_numpy(["b"] * 8, threads=2),
    "prepend twice": lambda: encoder(normalizers.Sequence([normalizers.Prepend(text)] * 2)).encode("b"),
    "replace": lambda: encoder(normalizers.Replace("b", text)).encode_batch(["b"] * 4, threads=2),
    "split": lambda: encoder(None, pre_tokenizers.Split(text, "removed")).encode("b"),
    "one word": lambda: models.BPE({"a": 0, "b": 1}, []).tokenize(text),
    "an unknown piece": lambda: models.BPE({text: 0}, [], unk_token=text).tokenize("b"),
    "a prefix": lambda: models.WordPiece({"a": 0}, unk_token="a", continuing_subword_prefix=text).tokenize("ab"),
    "training": lambda: encoder(normalizers.Prepend(text)).train_from_iterator(["b"] * 4),
}
refused = 0
for megabytes in range(5, 125, 10):
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + megabytes * 1_000_000, -1))
    try:
        cases[CASE]()
    except (MemoryError, TextpipeError):
        refused += 1
    except RuntimeError as error:
        assert "thread" in str(error) or "Resource" in str(error), error
        refused += 1
    resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
assert refused, "the limits were too wide to be met"
"""
CASES = ["prepend", "prepend twice", "replace", "split", "one word", "an unknown piece", "a prefix", "training"]


@pytest.mark.parametrize("case", CASES)
def test_a_stage_of_ten_megabytes_without_the_memory_for_it_does_not_end_the_process(case):
    code = LIMITED.replace("CASE", repr(case))
    child = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert child.returncode == 0, child.stderr[-1500:]
