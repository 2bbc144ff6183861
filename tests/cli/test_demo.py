"""The demo's own decisions; its steps are the verbs, tested by themselves."""

from __future__ import annotations

import itertools
from pathlib import Path
from types import SimpleNamespace

import pytest

from textpipe import files
from textpipe.cli import demo

pytest.importorskip("torch", reason="needs the extra: pip install 'textpipe[train]'")


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The command lines the demo would run."""
    found: list[tuple[str, ...]] = []
    monkeypatch.setattr(demo, "_step", lambda *words: found.append(words))
    return found


def crawl_folder(out: Path, *, is_complete: bool) -> None:
    files.write_text(out / "crawl" / "frontier.sqlite", "")
    files.write_manifest(out / "crawl", kind="crawl", files=[], counts={"is_complete": is_complete})


def test_a_finished_crawl_is_not_made_again(steps: list[tuple[str, ...]], tmp_path: Path) -> None:
    crawl_folder(tmp_path, is_complete=True)
    demo.command(out=tmp_path, steps=800)
    assert [words[0] for words in steps][:2] == ["clean", "train-vocab"]


def test_half_a_crawl_of_a_server_that_is_gone_begins_anew(steps: list[tuple[str, ...]], tmp_path: Path) -> None:
    crawl_folder(tmp_path, is_complete=False)
    demo.command(out=tmp_path, steps=800)
    assert [words[0] for words in steps][:2] == ["crawl", "clean"]
    assert not (tmp_path / "crawl" / "frontier.sqlite").exists()


@pytest.mark.parametrize("number", [1, 49, 50, 800])
def test_any_number_of_steps_is_a_valid_training(number: int, steps: list[tuple[str, ...]], tmp_path: Path) -> None:
    from textpipe.cli.train import _configure
    from textpipe.training.run_config import TrainConfig

    crawl_folder(tmp_path, is_complete=True)
    demo.command(out=tmp_path, steps=number)
    words = next(words for words in steps if words[0] == "train")
    flags = dict(itertools.pairwise(words))
    given = {"steps": int(flags["--steps"])}
    if "--warmup-steps" in flags:
        given["warmup_steps"] = int(flags["--warmup-steps"])
    _, config = _configure("gpt", SimpleNamespace(vocab_size=300), flags["--preset"], None, given, start=None, run=None)
    assert isinstance(config, TrainConfig)
    assert config.steps == number
