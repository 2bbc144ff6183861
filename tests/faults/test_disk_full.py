"""No space left at any verb: one message, exit code 5, nothing finished lost; the same command then succeeds.

The disk is made small with a limit on file sizes: a write past it fails as on a full disk.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from textpipe import files
from textpipe.cli import app
from textpipe.testing import SiteServer

TRAIN = ("--steps", "3", "--warmup-steps", "1", "--threads", "1", "--quiet")


def limited(words: Sequence[str], limit_bytes: int) -> subprocess.CompletedProcess[str]:
    def shrink() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))

    command = [sys.executable, "-m", "textpipe", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, preexec_fn=shrink)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What each verb takes: a small corpus, a vocabulary, shards."""
    pytest.importorskip("torch")
    root = tmp_path_factory.mktemp("outputs")
    lines = [f"아침 바다 {n}번째 배가 항구로 천천히 들어온다. The ferry number {n} is late." for n in range(3000)]
    files.write_text(root / "text.txt", "\n".join(lines))
    assert app.run(["train-vocab", str(root / "text.txt"), "--vocab-size", "600", "--out", str(root / "vocab")]) == 0
    pack = ["pack", str(root / "text.txt"), "--tokenizer", str(root / "vocab"), "--out", str(root / "shards")]
    assert app.run(pack) == 0
    return root


@pytest.mark.parametrize("verb", ["clean", "train-vocab", "pack", "train", "report", "encode"])
def test_a_full_disk_is_said_and_the_same_command_then_succeeds(verb: str, outputs: Path, tmp_path: Path) -> None:
    text, vocab, shards = (str(outputs / name) for name in ("text.txt", "vocab", "shards"))
    out = str(tmp_path / "out")
    words = {
        "clean": ["clean", text, "--text-unit", "line", "--min-chars", "10", "--out", out],
        "train-vocab": ["train-vocab", text, "--vocab-size", "600", "--out", out],
        "pack": ["pack", text, "--tokenizer", vocab, "--out", out],
        "train": ["train", "gpt", shards, *TRAIN, "--out", out],
        "report": ["report", vocab, "--out", out],
        "encode": ["encode", "--file", text, "--tokenizer", vocab, "--out", f"{out}.npy"],
    }[verb]
    failed = limited(words, 8000)
    assert failed.returncode == 5, failed.stderr
    assert failed.stderr.rstrip().splitlines()[-1].startswith("textpipe: error: ")
    assert "Traceback" not in failed.stderr
    assert app.run(words) == 0


def test_a_crawl_on_a_full_disk_says_so_and_goes_on(tmp_path: Path) -> None:
    with SiteServer() as site:
        words = ["crawl", site.url("/ko/"), "--allow-private", "--delay", "0", "--max-pages", "12", "--quiet"]
        words += ["--out", str(tmp_path / "crawl")]
        failed = limited(words, 50_000)
        assert failed.returncode == 5, failed.stderr
        assert "Traceback" not in failed.stderr
        assert app.run(words) == 0
    files.read_manifest(tmp_path / "crawl", kind="crawl", verify=True)
