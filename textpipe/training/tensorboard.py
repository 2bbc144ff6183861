"""A run's log for TensorBoard.

What enters: the lines of log.jsonl as they are written. What leaves: event files in the run's folder, with a curve for
each number and a text for each sample. After a resume the curves go on where the run does.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from textpipe.errors import require

__all__ = ["FOLDER", "EventFiles"]

FOLDER = "tensorboard"
_GROUPS = {"val_": "validation", "unigram_": "baseline"}


class EventFiles:
    """Writes event files under ``out``; points after step ``start`` that an earlier process wrote are taken back.

    Raises
    ------
    MissingExtraError
        when TensorBoard is not installed.
    """

    def __init__(self, out: Path, *, start: int) -> None:
        require("tensorboard", extra="tensorboard")
        writers = require("torch.utils.tensorboard", extra="tensorboard")
        self._writer = writers.SummaryWriter(str(out / FOLDER), purge_step=start + 1 if start else None)

    def __call__(self, row: Mapping[str, Any]) -> None:
        """Take in one line of the log."""
        step = int(row["step"])
        for name, value in row.items():
            if name != "step" and isinstance(value, int | float):
                group = next((group for prefix, group in _GROUPS.items() if name.startswith(prefix)), "training")
                self._writer.add_scalar(f"{group}/{name}", value, step)
        for number, sample in enumerate(row.get("samples", ())):
            self._writer.add_text(f"samples/{number}", f"**{sample['prompt']}**{sample['text']}", step)
        if "val_loss" in row:
            self._writer.flush()

    def close(self) -> None:
        """Write what is held."""
        self._writer.close()
