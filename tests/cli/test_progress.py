"""Progress: one row of a terminal, written over; plain lines elsewhere; nothing when quiet."""

from __future__ import annotations

import sys

import pytest

from textpipe.cli import progress as module
from textpipe.cli.progress import Progress


def report(progress: Progress) -> None:
    with progress:
        for done in (0, 50, 100):
            progress("count words", done * 10_000, 1_000_000, unit="bytes", memory="65 MB")


@pytest.mark.parametrize("width", [1, 20, 40, 80, 200])
def test_a_live_line_takes_one_row_whatever_the_width(width, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(module, "_width", lambda: width)
    monkeypatch.setattr(module, "_LIVE_EVERY_S", 0.0)
    report(Progress())
    shown = capsys.readouterr()
    *frames, last = shown.err.rstrip("\n").split("\r\x1b[2K")[1:]
    assert len(frames) == 3
    assert all(len(frame) < max(width, 2) for frame in frames)
    assert last == "count words: 1,000,000 of 1,000,000 bytes (100 %), memory 65 MB"
    assert shown.out == ""


def test_elsewhere_there_are_plain_lines(capsys):
    report(Progress())
    assert capsys.readouterr().err == "count words: 1,000,000 of 1,000,000 bytes (100 %), memory 65 MB\n"


def test_nothing_when_quiet(capsys):
    report(Progress(quiet=True))
    assert capsys.readouterr() == ("", "")
