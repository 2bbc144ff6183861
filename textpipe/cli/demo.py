"""``textpipe demo``: the whole way on the bundled web site, as the command lines a person would type.

What enters: nothing but the bundled site, served on loopback while it is crawled. What leaves: a folder with everything
each verb wrote and a page to open. Each step is a real command line, printed before it runs, so that it can be copied.
"""

from __future__ import annotations

import shlex
import shutil
import sys
import time
from pathlib import Path

import typer

from textpipe.files import MANIFEST, read_manifest
from textpipe.training.presets import PRESETS

PROMPTS = ("바다는", "The village")


def command(
    out: Path = typer.Option(Path("textpipe-demo"), "--out", help="Folder for everything the demo makes."),
    steps: int = typer.Option(800, "--steps", min=1, help="Training steps."),
) -> None:
    """Crawl, clean, train a vocabulary, pack, train a GPT, generate and report, offline, in a few minutes.

    \b
    textpipe demo
    textpipe demo --out try --steps 50

    The same command again goes on where it was stopped.
    """
    start = time.monotonic()
    if not _is_crawled(out / "crawl"):
        _crawl(out / "crawl")
    _step("clean", str(out / "crawl"), "--out", str(out / "corpus"))
    _step("train-vocab", str(out / "corpus"), "--vocab-size", "4000", "--out", str(out / "vocab"))
    _step("inspect", "--tokenizer", str(out / "vocab"), "바다는 넓고 배는 작다")
    _step("pack", str(out / "corpus"), "--tokenizer", str(out / "vocab"), "--out", str(out / "shards"))
    prompts = [word for prompt in PROMPTS for word in ("--prompt", prompt)]
    shape = ["--preset", "tiny", "--steps", str(steps)]
    if steps < PRESETS["gpt"]["tiny"].train["warmup_steps"]:
        shape += ["--warmup-steps", str(steps // 2)]
    _step("train", "gpt", str(out / "shards"), *shape, *prompts, "--out", str(out / "run"))
    for prompt in PROMPTS:
        _step("generate", str(out / "run"), "--prompt", prompt, "--max-tokens", "80", "--seed", "1")
    folders = [str(out / name) for name in ("crawl", "corpus", "vocab", "shards", "run")]
    _step("report", *folders, "--out", str(out / "report.html"))
    print(f"\ndone in {time.monotonic() - start:.0f} s. Open {out / 'report.html'}", file=sys.stderr)


def _is_crawled(folder: Path) -> bool:
    if not (folder / MANIFEST).exists():
        return False
    return bool(read_manifest(folder, kind="crawl")["counts"]["is_complete"])


def _crawl(folder: Path) -> None:
    from textpipe.testing import SiteServer

    if (folder / "frontier.sqlite").exists():  # half a crawl of a server that is gone: its URLs answer no more
        shutil.rmtree(folder)
    with SiteServer() as server:
        _step("crawl", *server.seed_urls, "--delay", "0", "--allow-private", "--out", str(folder))


def _step(*words: str) -> None:
    """Run one command line in this process; stop with its exit code when it fails."""
    from textpipe.cli.app import run

    print(f"\n$ textpipe {shlex.join(words)}", file=sys.stderr, flush=True)
    start = time.monotonic()
    code = run(list(words))
    if code:
        raise typer.Exit(code)
    print(f"  ({words[0]}: {time.monotonic() - start:.1f} s)", file=sys.stderr, flush=True)
