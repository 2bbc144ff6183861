"""Types ship with the package, and code that uses them is checked and runs."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path

import textpipe

ROOT = Path(textpipe.__file__).parent
SAMPLE = Path(__file__).parent / "user_code.py"


def test_the_package_says_that_it_has_types():
    assert (ROOT / "py.typed").exists()


def test_every_native_module_has_its_types_beside_it():
    native = {path.stem for path in (ROOT / "core").glob("*.pyx")}
    assert native
    assert native == {path.stem for path in (ROOT / "core").glob("*.pyi")}


def test_code_of_a_user_passes_the_strictest_check_of_mypy():
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", str(SAMPLE)]
    checked = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT.parent, env={**os.environ, "MYPYPATH": ""}, check=False
    )
    assert checked.stdout + checked.stderr == ""


def test_the_same_code_runs():
    runpy.run_path(str(SAMPLE), run_name="__main__")
