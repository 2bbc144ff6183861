"""Rules every file of the package keeps, read from its syntax tree."""

from __future__ import annotations

import ast
import doctest
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import textpipe
from textpipe import upward

ROOT = Path(textpipe.__file__).parent
MODULES = sorted(p for p in ROOT.rglob("*.py"))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT.parent))


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def opens_for_writing(call: ast.Call) -> bool:
    function = call.func
    name = (
        function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else ""
    )
    if name in {"write_text", "write_bytes"} and isinstance(function, ast.Attribute):
        return not (isinstance(function.value, ast.Name) and function.value.id == "files")
    if name != "open":
        return False
    modes = [*call.args, *(k.value for k in call.keywords if k.arg == "mode")]
    return any(
        isinstance(mode, ast.Constant)
        and isinstance(mode.value, str)
        and set(mode.value) <= set("wax+bt")
        and set(mode.value) & set("wax+")
        for mode in modes
    )


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_opens_with_what_it_is_and_fits_in_one_sitting(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text)), "a file opens with a paragraph"
    assert text.count("\n") <= 400


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_function_is_longer_than_a_screen_and_a_half(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
            length = (node.end_lineno or 0) - body[0].lineno + 1
            assert length <= 50, f"{node.name} has {length} lines"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_code_runs_when_a_file_is_loaded(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name for alias in node.names} | {getattr(node, "module", None)}
            assert not names & {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
    for call in calls(tree):
        if isinstance(call.func, ast.Name):
            assert call.func.id not in {"eval", "exec"}
        if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
            assert (call.func.value.id, call.func.attr) not in {("torch", "load"), ("yaml", "load")}


IMPORT_BY_NAME = {"upward.py", "errors.py", "cli/app.py", "report/doctor.py"}
"""Beside packages, which find their own names when they are first used: what they import is in a table, or no part."""


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_import_is_one_that_the_layers_are_checked_by(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert "textpipe" not in names, "the whole package gives everything above, too"
    by_name = [call for call in calls(tree) if ast.unparse(call.func).endswith(("import_module", "__import__"))]
    if path.name != "__init__.py" and path.relative_to(ROOT).as_posix() not in IMPORT_BY_NAME:
        assert not by_name, "a row of textpipe/upward.py is the way up"


def test_every_way_up_leads_somewhere() -> None:
    for name, home in upward.UPWARD.items():
        assert upward.upward(name).__module__.startswith(home)


@pytest.mark.parametrize("path", [p for p in MODULES if p.parent.name != "files"], ids=name_of)
def test_only_files_opens_a_file_for_writing(path: Path) -> None:
    for call in calls(ast.parse(path.read_text(encoding="utf-8"))):
        assert not opens_for_writing(call), f"line {call.lineno}"


def module_names() -> list[str]:
    return sorted(
        module.name
        for module in pkgutil.walk_packages(textpipe.__path__, "textpipe.")
        if not module.name.startswith("textpipe.bundled")
    )


@pytest.mark.parametrize("name", module_names())
def test_the_examples_in_docstrings_are_true(name: str) -> None:
    module = importlib.import_module(name)
    results = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert results.failed == 0


@pytest.mark.parametrize("name", module_names())
def test_every_public_name_exists(name: str) -> None:
    module = importlib.import_module(name)
    for public in getattr(module, "__all__", []):
        assert hasattr(module, public)


@pytest.mark.parametrize("name", module_names())
def test_no_public_name_hides_behind_a_module_of_the_same_name(name: str) -> None:
    module = importlib.import_module(name)
    folder = Path(module.__file__ or "").parent
    if hasattr(module, "__path__"):
        assert not [public for public in getattr(module, "__all__", []) if (folder / f"{public}.py").exists()]
