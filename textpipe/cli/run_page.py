"""What a person sees of a training run beside its progress: samples as they come, and a page with the curves.

What enters: the lines of the run's log. What leaves: notes on standard error, and ``report.html`` in the run's folder,
written anew at each look at the held-out split and when the run ends or is stopped.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from textpipe.errors import MissingExtraError

if TYPE_CHECKING:
    from textpipe.cli.progress import Progress

__all__ = ["PAGE", "RunPage"]

PAGE = "report.html"
_SHOWN_CHARS = 160


class RunPage:
    """Listens to a run."""

    def __init__(self, out: Path, progress: Progress) -> None:
        self._out, self._progress = out, progress
        self._is_begun = self._is_refused = False

    def __call__(self, row: dict[str, Any]) -> None:
        self._is_begun = True
        for sample in row.get("samples", ()):
            self._progress.note(f"step {row['step']:,}: {_one_line(sample)}")
        if "val_loss" in row:
            self.write()

    def write(self) -> None:
        """Write the page, of a run that has begun; without jinja2 there is none, which is said once."""
        if not self._is_begun or self._is_refused:
            return
        from textpipe.report import write_report

        try:
            write_report([self._out], self._out / PAGE, title=f"Run {self._out.resolve().name}")
        except MissingExtraError as error:
            self._is_refused = True
            self._progress.note(f"no page of the run: {error}")


def _one_line(sample: dict[str, str]) -> str:
    joint = " → " if "reference" in sample else ""
    text = f"{sample['prompt']}{joint}{sample['text']}".replace("\n", "⏎")
    return text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 1] + "…"
