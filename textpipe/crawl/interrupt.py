"""Ctrl-C as a flag.

What enters: SIGINT. What leaves: ``is_set`` after the first, ``is_repeated`` after the second; the third is raised as
ever. Work that must not stop between two writes looks at the flag when it is ready.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any, Self

__all__ = ["Interrupt"]


class Interrupt:
    """A context in which Ctrl-C sets a flag (in the main thread; elsewhere Ctrl-C does not arrive)."""

    def __init__(self) -> None:
        self.num_signals = 0
        self._before: Any = None

    @property
    def is_set(self) -> bool:
        """Whether Ctrl-C was pressed."""
        return self.num_signals > 0

    @property
    def is_repeated(self) -> bool:
        """Whether it was pressed again."""
        return self.num_signals > 1

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.num_signals += 1
        if self.num_signals > 2:
            raise KeyboardInterrupt

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._on_signal)
        return self

    def __exit__(self, *exc: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
