"""The learning rate as a pure function of the step.

What enters: a step and the lengths of warmup and run. What leaves: a factor of the peak learning rate. The functions
equal, to the bit, what ``transformers.optimization`` gives for the same arguments. There is no state to save: a resumed
run asks for the step it is at.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

__all__ = ["SCHEDULES", "constant", "cosine", "inverse_sqrt", "linear", "wsd"]


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


def inverse_sqrt(step: int, *, warmup_steps: int, steps: int, floor: float = 0.0) -> float:
    """Rise linearly to 1 over ``warmup_steps``, then fall as 1/√step (Vaswani et al. 2017).

    ``steps`` and ``floor`` play no part; without a warmup the fall begins as after one of 10,000 steps.
    """
    if step < warmup_steps:
        return step / max(1, warmup_steps)
    scale = warmup_steps or 10_000
    return 1.0 / math.sqrt((step + scale - warmup_steps) / scale)


def wsd(step: int, *, warmup_steps: int, steps: int, floor: float = 0.0) -> float:
    """Warm up, stay, decay: from ``floor`` to 1, then 1, and over the last fifth of ``steps`` linearly to ``floor``.

    What is trained longer need not know at its start how long: all but the last fifth is the same (Hu et al. 2024).
    """
    decay_steps = steps // 5
    if step < warmup_steps:
        return step / max(1, warmup_steps) * (1.0 - floor) + floor
    if step < steps - decay_steps:
        return 1.0
    progress = (step - max(warmup_steps, steps - decay_steps)) / max(1, decay_steps)
    return max(floor, (1.0 - progress) * (1.0 - floor) + floor)


SCHEDULES: Mapping[str, Callable[..., float]] = MappingProxyType(
    {"constant": constant, "cosine": cosine, "inverse_sqrt": inverse_sqrt, "linear": linear, "wsd": wsd}
)
