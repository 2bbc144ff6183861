"""Markdown of cards: text of any kind stays text."""

from __future__ import annotations

from textpipe.markdown import code, table


def test_a_bar_or_a_line_end_ends_no_cell() -> None:
    lines = table(("이름", "수"), [("<|끝|>", 1), ("두\n줄", 2)]).split("\n")
    assert lines[2:] == [
        "| <\\|끝\\|> | 1 |",
        "| 두 줄 | 2 |",
    ]


def test_a_backtick_ends_no_code() -> None:
    assert code("`a``") == "``` `a`` ```"
