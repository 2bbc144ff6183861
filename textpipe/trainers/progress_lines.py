"""What a trainer itself says while it trains, where nobody else listens to its progress.

What enters: phases, what is done of them and the total. What leaves: lines on standard error. Promises: one line that
is rewritten, and only on a terminal; or, where it is asked for, lines for a program to read.
"""

from __future__ import annotations

import json
import sys

from textpipe.trainers.counting import Progress

__all__ = ["PROGRESS_FORMATS", "JsonLines", "TerminalLine", "report_of"]

PROGRESS_FORMATS = ("indicatif", "json", "silent")
"""How progress may be reported, by the names of `tokenizers`: a line on a terminal, JSON, not at all."""


def report_of(show_progress: bool, progress_format: str = "indicatif") -> Progress | None:
    """The function to report to, or None where nobody is to read it."""
    if not show_progress or progress_format == "silent":
        return None
    if progress_format == "json":
        return JsonLines()
    return TerminalLine() if sys.stderr.isatty() else None


class TerminalLine:
    """One line of a terminal, rewritten as the training goes on."""

    def __call__(self, phase: str, done: int, total: int | None = None, *, unit: str = "", note: str = "") -> None:
        line = f"{phase}: {done:,}{f' of {total:,}' if total else ''} {unit}"
        if note:
            line += f", {note}\n"
        elif total and done >= total:
            line = ""
        sys.stderr.write(f"\r\x1b[2K{line}")
        sys.stderr.flush()


class JsonLines:
    """A JSON object a line, with ``phase``, ``done``, ``total`` and ``unit``, and a ``note`` where there is one."""

    def __call__(self, phase: str, done: int, total: int | None = None, *, unit: str = "", note: str = "") -> None:
        row = {"phase": phase, "done": done, "total": total, "unit": unit} | ({"note": note} if note else {})
        sys.stderr.write(json.dumps(row, ensure_ascii=False) + "\n")
        sys.stderr.flush()
