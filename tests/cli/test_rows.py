"""Rows of figures: tabs for programs, columns for people, Hangul as wide as it is."""

from __future__ import annotations

import sys

import pytest

from textpipe.cli.rows import print_rows

ROWS = [("entries", "8,000", "merges"), ("한국어", "4.26 bytes"), ("note", "x" * 40, "end")]


def test_a_program_gets_tabs(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows(ROWS)
    assert capsys.readouterr().out.splitlines() == ["\t".join(row) for row in ROWS]


def test_a_person_gets_columns_that_stand_under_each_other(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    print_rows(ROWS)
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["entries  8,000  merges", "한국어   4.26 bytes", "note     " + "x" * 40 + "  end"]
