"""The fuzzers of the engine are valid against the headers as they are: nothing else compiles them between runs."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FUZZERS = sorted((ROOT / "bin" / "fuzzers").glob("*.cpp"))


@pytest.mark.parametrize("path", FUZZERS, ids=lambda path: path.stem)
def test_a_fuzzer_compiles(path):
    compiler = shutil.which(os.environ.get("CXX", "c++"))
    assert compiler, "the engine itself was built with a compiler"
    include = ["-I", str(ROOT / "textpipe" / "core" / "cpp"), "-I", str(path.parent)]
    words = [compiler, "-fsyntax-only", "-std=c++17", *include, str(path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:2000]
