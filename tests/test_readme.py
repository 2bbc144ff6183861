"""The README's commands and Python run as they stand there, on the bundled site."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from textpipe.cli import app
from textpipe.testing import SiteServer

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_the_commands_run_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    lines = [shlex.split(line)[1:] for line in blocks("sh")[0].splitlines()]
    assert [words[0] for words in lines][:3] == ["crawl", "clean", "train-vocab"]
    with SiteServer() as site:
        for line in lines:
            # what a test must change: the site is on this machine, and a few steps show as much as many
            words = [site.url("/ko/") if word == "https://example.org" else word for word in line]
            words += ["--allow-private", "--delay", "0"] if words[0] == "crawl" else []
            words += ["--steps", "4", "--warmup-steps", "2", "--threads", "1"] if words[0] == "train" else []
            assert app.run(words) == 0, shlex.join(words)
    assert (tmp_path / "report.html").stat().st_size > 10_000


def test_the_python_runs_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    first, second = blocks("python")
    namespace: dict[str, object] = {}
    exec(compile(first, "README.md", "exec"), namespace)
    # a few steps show as much as many
    second = second.replace("data, config,", "data, config.replaced(steps=4, warmup_steps=2, threads=1),")
    exec(compile(second, "README.md", "exec"), namespace)


def test_the_tree_names_what_is_there() -> None:
    root = Path(__file__).parent.parent
    tree = README.split("## The tree")[1].split("`tests/test_tour.py`")[0]
    named = set(re.findall(r"[a-z_]+(?:/|\.py)", tree))
    for folder in (root / "textpipe").iterdir():
        if folder.is_dir() and folder.name not in {"__pycache__", "bundled"}:
            assert f"{folder.name}/" in named


def test_every_verb_is_in_the_readme() -> None:
    for verb in app.VERBS:
        assert re.search(rf"`?(?:textpipe |bin/|`){verb.name}\b", README), verb.name
