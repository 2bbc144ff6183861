"""The bundled site travels in the wheel."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from textpipe.testing import read_truth

setuptools = pytest.importorskip("setuptools", reason="building a wheel needs setuptools")
CORPORA = Path(__file__).resolve().parents[2] / "corpora"


def built(build_lib: Path, *, editable: bool) -> list[str]:
    spec = importlib.util.spec_from_file_location("corpora_wheel", CORPORA / "wheel.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    command = module.BuildWithSite(setuptools.Distribution({"name": "x", "packages": [], "py_modules": []}))
    command.build_lib = str(build_lib)
    command.editable_mode = editable
    command.ensure_finalized()
    command.run()
    return list(command.get_outputs())


def test_wheel_holds_every_file_of_the_manifest_and_can_be_read_from_there(tmp_path: Path) -> None:
    outputs = built(tmp_path, editable=False)
    folder = tmp_path / "textpipe" / "bundled"
    copied = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert copied == {"MANIFEST.toml", *read_truth().sha256}
    assert {str(folder / path) for path in copied} == set(outputs)
    assert read_truth(folder).sha256 == read_truth().sha256


def test_editable_install_copies_nothing(tmp_path: Path) -> None:
    assert built(tmp_path, editable=True) == []
    assert not (tmp_path / "textpipe").exists()
