"""A plan for people: a table of layouts and a chart of memory, as lines of text.

What enters: a :class:`~textpipe.planning.plan.Plan`. What leaves: lines of up to 110 characters. Each layout has a bar
whose length is the usable memory of a GPU and whose letters are its components.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textpipe.planning.cluster import GIB

if TYPE_CHECKING:
    from textpipe.planning.layouts import PlannedLayout
    from textpipe.planning.plan import Plan

__all__ = ["memory_bar", "plan_text"]

_BAR = 60
_COMMAND = 110  # a longer command goes on in a second line
_LETTERS = {
    "weights": "W",
    "running mean": "M",
    "gradients": "G",
    "optimizer": "O",
    "16-bit copies": "C",
    "gathered": "F",
    "activations": "A",
    "head": "H",
    "workspace": "S",
}


def plan_text(plan: Plan, *, most: int = 5) -> str:
    """The whole plan."""
    lines = [f"{name:<12}{value}" for name, value in plan.facts()]
    lines += ["", "layouts that fit, fastest first (memory of the fullest GPU)", ""]
    head = f"{'':>3} {'data':>5} {'tensor':>6} {'pipe':>5}  {'sharding':<8} {'recompute':<9} {'micro':>5} "
    lines.append(head + f"{'GiB':>7} {'step s':>8} {'MFU':>5} {'days':>8} {'cost':>12} {'train':>6}")
    shown = plan.layouts[:most]
    for number, planned in enumerate(shown, 1):
        layout = planned.layout
        lines.append(
            f"{number:>3} {layout.data:>5} {layout.tensor:>6} {layout.pipeline:>5}  {layout.sharding:<8} "
            f"{'yes' if layout.recompute else 'no':<9} {layout.micro_batch:>5} "
            f"{planned.memory.total_bytes / GIB:>7.2f} {planned.time.total:>8.3g} {plan.utilization(planned):>5.0%} "
            f"{plan.days(planned):>8.3g} {plan.cost(planned):>12,.0f} "
            f"{'no' if plan.command(planned) is None else 'yes':>6}"
        )
    lines += ["", "memory of a GPU: " + ", ".join(f"{letter} {name}" for name, letter in _LETTERS.items())]
    lines += [
        f"{number:>3} |{memory_bar(planned, plan.cluster.device_bytes)}|" for number, planned in enumerate(shown, 1)
    ]
    lines += ["", *_first(plan, shown[0]), *_start(plan)]
    return "\n".join(lines)


def memory_bar(planned: PlannedLayout, device_bytes: float, width: int = _BAR) -> str:
    """A bar as long as a GPU's usable memory; each component has its letter, what is free a dot."""
    cells, filled, end = "", 0.0, 0
    for part in planned.memory.components:
        filled += part.num_bytes
        upto = min(width, round(width * filled / device_bytes))
        cells += _LETTERS[part.name] * (upto - end)
        end = max(end, upto)
    return cells + "." * (width - len(cells))


def _first(plan: Plan, planned: PlannedLayout) -> list[str]:
    """The best layout, part by part, and the command that runs it."""
    lines = [f"layout 1, when {planned.memory.moment}"]
    lines += [
        f"    {part.name:<15}{part.num_bytes / GIB:>9.3f} GiB   {part.formula}" for part in planned.memory.components
    ]
    time = planned.time
    lines.append(
        f"    a step of {time.total:.3g} s: computing {time.compute:.3g}, pipeline bubble {time.bubble:.2g}, "
        f"sending for tensor {time.tensor:.2g} and for data {time.data:.2g} beyond what is hidden"
    )
    return lines


def _start(plan: Plan) -> list[str]:
    """The command of the best layout that ``textpipe train`` runs."""
    for number, planned in enumerate(plan.layouts, 1):
        words = plan.command(planned)
        if words is not None:
            layout = planned.layout
            what = f"{layout.data} × {layout.tensor} × {layout.pipeline} {layout.sharding}"
            what += ", recomputing" if layout.recompute else ""
            if len(words) > _COMMAND:
                words = words.replace(" -m ", " -m \\\n      ")
            return ["", f"the fastest that textpipe train runs is layout {number} ({what}):", f"    {words}"]
    return ["", "textpipe train runs none of these layouts itself"]
