"""The ways up: functions of an upper layer that a class of a lower one offers as a method of its own.

What enters: a name of the table below. What leaves: the function, whose module is imported now, when it is asked for.
Promises: the table holds all the ways there are from a layer to one above it; every other import goes down.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["UPWARD", "upward"]

UPWARD: Mapping[str, str] = {"trainer_for": "textpipe.trainers"}
"""Where each function lives."""


def upward(name: str) -> Callable[..., Any]:
    """The function of this name.

    Examples
    --------
    >>> from textpipe.models import BPE
    >>> type(upward("trainer_for")(BPE())).__name__
    'BpeTrainer'
    """
    function: Callable[..., Any] = getattr(importlib.import_module(UPWARD[name]), name)
    return function
