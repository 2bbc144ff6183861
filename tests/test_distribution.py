"""What is shipped works: the sdist builds a wheel, and the wheel runs alone, away from the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

SMOKE = """
import textpipe, textpipe.testing
from textpipe import Tokenizer
from textpipe.models import BPE
from textpipe.pre_tokenizers import ByteLevel
from textpipe.decoders import ByteLevel as Decoder
from textpipe.trainers import BpeTrainer
assert not textpipe.__file__.startswith(ROOT), textpipe.__file__
tokenizer = Tokenizer(BPE())
tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
tokenizer.decoder = Decoder()
trainer = BpeTrainer(vocab_size=300, initial_alphabet=ByteLevel.alphabet())
tokenizer.train_from_iterator(["바다는 넓고 배는 작다"] * 3, trainer)
assert tokenizer.decode(tokenizer.encode("바다는 작다").ids) == "바다는 작다"
assert (textpipe.testing.bundled_site() / "site" / "robots.txt").exists()
print("ok", textpipe.__version__)
"""


def run(*words: str, cwd: Path, **environment: str) -> str:
    done = subprocess.run(
        words, cwd=cwd, capture_output=True, text=True, check=False, env={**os.environ, **environment}, timeout=900
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT), cwd=folder)  # sdist, then
    return next(folder.glob("*.whl"))  # the wheel from it


def test_the_wheel_from_the_sdist_runs_away_from_the_checkout(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(site))
    run(*pip, str(wheel), cwd=tmp_path)
    code = SMOKE.replace("ROOT", repr(str(ROOT)))
    assert run(sys.executable, "-c", code, cwd=tmp_path, PYTHONPATH=str(site)).startswith("ok")
    assert run(sys.executable, "-m", "textpipe", "--version", cwd=tmp_path, PYTHONPATH=str(site)).startswith("textpipe")


def test_the_wheel_holds_types_sources_and_the_site_but_no_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "textpipe/py.typed" in names
    assert any(name.endswith("scanner.hpp") for name in names)
    assert any(name.startswith("textpipe/core/_encoder.") and name.endswith(".so") for name in names)
    assert "textpipe/report/page.html.j2" in names
    assert not [name for name in names if name.startswith(("tests/", "bin/"))]
