"""The learning rate as a pure function of the step.

What enters: a step and the lengths of warmup and run. What leaves: a factor of the peak learning rate. The functions
equal, to the bit, what ``transformers.optimization`` gives for the same arguments. There is no state to save: a resumed
run asks for the step it is at.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

__all__ = ["SCHEDULES", "constant", "cosine", "linear"]


def cosine(step: int, *, warmup_steps: int, steps: int, floor: float = 0.0) -> float:
    """Rise linearly to 1 over ``warmup_steps``, then fall to ``floor`` along half a cosine until ``steps``.

    Examples
    --------
    >>> [round(cosine(step, warmup_steps=2, steps=6), 3) for step in range(7)]
    [0.0, 0.5, 1.0, 0.854, 0.5, 0.146, 0.0]
    """
    if step < warmup_steps:
        return step / max(1, warmup_steps)
    progress = (step - warmup_steps) / max(1, steps - warmup_steps)
    factor = 0.5 * (1.0 + math.cos(math.pi * 0.5 * 2.0 * progress))
    return max(0.0, factor * (1 - floor) + floor)


def linear(step: int, *, warmup_steps: int, steps: int, floor: float = 0.0) -> float:
    """Rise linearly to 1 over ``warmup_steps``, then fall linearly to ``floor`` at ``steps``."""
    if step < warmup_steps:
        return step / max(1, warmup_steps)
    return max(0.0, (steps - step) / max(1, steps - warmup_steps) * (1 - floor) + floor)


def constant(step: int, *, warmup_steps: int, steps: int, floor: float = 0.0) -> float:
    """Rise linearly to 1 over ``warmup_steps`` and stay there; ``steps`` and ``floor`` play no part."""
    return step / max(1, warmup_steps) if step < warmup_steps else 1.0


SCHEDULES: Mapping[str, Callable[..., float]] = MappingProxyType(
    {"constant": constant, "cosine": cosine, "linear": linear}
)
