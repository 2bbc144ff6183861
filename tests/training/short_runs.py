"""Runs of a few steps: their settings, what they leave behind, and that a stopped one goes on to the bit."""

from __future__ import annotations

import json
import os
import signal

import pytest

from textpipe.training.checkpoints import find_checkpoint
from textpipe.training.loop import Trainer

STEPS = 8
SETTINGS = {
    "steps": STEPS, "learning_rate": 1e-2, "warmup_steps": 2, "log_every": 1, "validate_every": 3,
    "checkpoint_every": 4, "sample_every": 4, "sample_tokens": 6, "device": "cpu", "dtype": "float32", "seed": 3,
}  # fmt: skip


def rows(out):
    """The log, but for its speeds."""
    lines = (out / "log.jsonl").read_text(encoding="utf-8").splitlines()
    return [{k: v for k, v in json.loads(line).items() if k != "tokens_per_s"} for line in lines]


def files(out):
    """The tensors of the newest checkpoint, as they are on disk."""
    return {file.name: file.read_bytes() for file in find_checkpoint(out).iterdir() if file.suffix == ".safetensors"}


def stop_at(step):
    """Progress that asks for a stop while the step before is reported."""

    def progress(phase, done, total, **facts):
        if done == step - 1:
            os.kill(os.getpid(), signal.SIGINT)

    return progress


def check_resumes(shape, data, config, folder):
    """Stopped again and again, a run ends as one that never was; returns how that ended."""
    whole = Trainer(shape, data, config, out=folder / "whole").run()
    for cut in (1, 3, 4, 7):
        with pytest.raises(KeyboardInterrupt):
            Trainer(shape, data, config, out=folder / "cut", progress=stop_at(cut)).run()
    Trainer(shape, data, config, out=folder / "cut").run()
    assert rows(folder / "cut") == rows(folder / "whole")
    assert files(folder / "cut") == files(folder / "whole")
    return whole
