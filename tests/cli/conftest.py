"""What tests of several commands share."""

from __future__ import annotations

import contextlib
import signal

import pytest


@pytest.fixture
def interrupted_at(monkeypatch):
    """``with interrupted_at(3):`` whoever trains presses Ctrl-C as step 3 begins."""

    @contextlib.contextmanager
    def pressed(chosen):
        from textpipe.training.step import Stepper

        whole = Stepper.__call__

        def interrupted(self, step):
            if step == chosen:
                signal.raise_signal(signal.SIGINT)
            return whole(self, step)

        with monkeypatch.context() as patch:
            patch.setattr(Stepper, "__call__", interrupted)
            yield

    return pressed
