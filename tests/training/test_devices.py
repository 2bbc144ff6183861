"""Where a run computes, and what that takes of the machine."""

from __future__ import annotations

import os

import pytest

from textpipe.training.devices import resolve
from textpipe.training.run_config import TrainConfig

KEPT = "ONEDNN_PRIMITIVE_CACHE_CAPACITY"


@pytest.mark.parametrize(("dtype", "kept"), [("bfloat16", "128"), ("float32", None)])
def test_a_bfloat16_run_on_a_cpu_keeps_a_bounded_number_of_kernels(monkeypatch, dtype, kept):
    monkeypatch.setenv(KEPT, "")  # so that it is as before afterwards
    monkeypatch.delenv(KEPT)
    resolve(TrainConfig(device="cpu", dtype=dtype))
    assert os.environ.get(KEPT) == kept


def test_a_bound_that_was_set_stays(monkeypatch):
    monkeypatch.setenv(KEPT, "7")
    resolve(TrainConfig(device="cpu", dtype="bfloat16"))
    assert os.environ[KEPT] == "7"
