"""A training of a vocabulary that is killed at any moment and run again writes the same files byte for byte.

A moment is a report of progress or a system call that changes the disk. A run that is let through counts them; then
one run after another is killed, each a little later than the one before: while it counts, merges or estimates, and
while it writes.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

LINE = "밥을 {}번 먹었다ㅋㅋ \u1112\u1161\u11ab{} 학교에서 the ferry {}호가 늦었다\n"
TEXT = [LINE.format(n % 37, n % 11, n % 53) for n in range(1500)]

KILLED = """
import os, signal, sys
from textpipe.files import calls
from textpipe.trainers import counting, rhythm
from textpipe.vocabulary import VocabConfig, preset_settings, train_vocabulary

counting._CHUNK_BYTES, rhythm._SAVE_EVERY_S, rhythm._LEAST_RATIO = 20_000, 0.0, 0
nth, text, out, preset, *settings = sys.argv[1:]
moments = 0

def moment(*row, **facts):
    global moments
    moments += 1
    if moments == int(nth):
        os.kill(os.getpid(), signal.SIGKILL)

class Counted(calls.System):
    def write(self, *row):
        moment()
        return super().write(*row)
    def rename(self, *row):
        moment()
        super().rename(*row)
        moment()
    def fsync(self, *row):
        moment()

calls.system = Counted()
values = {key: int(value) if value.isdigit() else value for key, value in (s.split("=") for s in settings)}
train_vocabulary(text, out, VocabConfig(**preset_settings(preset) | values), threads=2, progress=moment)
print(moments)
"""


def train(nth: int, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", KILLED, str(nth), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("words", "num_cuts"),
    [
        (("gpt2", "vocab_size=330"), 10),
        (("t5", "vocab_size=120"), 6),
        (("sentencepiece", "model=bpe", "vocab_size=90"), 4),
    ],
)
def test_killed_anywhere_and_run_again_gives_the_same_files(
    tmp_path: Path, words: tuple[str, ...], num_cuts: int
) -> None:
    text = tmp_path / "ko.txt"
    text.write_text("".join(TEXT), encoding="utf-8")
    whole = train(0, str(text), str(tmp_path / "whole"), *words)
    assert whole.returncode == 0, whole.stderr
    num_moments = int(whole.stdout)
    out = tmp_path / "made" / "vocab"
    nth, num_killed = 1, 0
    while True:  # each run goes on from the one before, and dies a little later
        made = train(nth, str(text), str(out), *words)
        if made.returncode == 0:
            break
        assert made.returncode == -9, made.stderr
        num_killed += 1
        nth += max(1, num_moments // num_cuts)
    assert num_killed >= num_cuts // 3
    assert files_of(out) == files_of(tmp_path / "whole")
    assert [path.name for path in out.parent.iterdir()] == ["vocab"]
