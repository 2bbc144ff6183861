"""Rotary positions in a config.json of Llama's family: the base of the angles and how they are slowed.

What enters: the fields of a config.json, or a shape of ours. What leaves: our keys, or the table ``rope_parameters``.
Older files have ``rope_theta`` beside the other keys and the rest in ``rope_scaling``. A way of slowing that is not
computed here is refused, and so is a key that nobody here would read.
"""

from __future__ import annotations

from typing import Any

from textpipe.formats.fields import Field
from textpipe.nn.shapes import GptConfig

__all__ = ["rotary_from", "rotary_to"]

_SCALING = {
    "factor": ("factor", float),
    "low_freq_factor": ("low_turns", float),
    "high_freq_factor": ("high_turns", float),
    "original_max_position_embeddings": ("original_context", int),
}
_BASE, _KIND, _OLD_KIND = "rope_theta", "rope_type", "type"


def rotary_from(config: Field) -> dict[str, Any]:
    """``rope_base`` (where the file names one) and ``rope_scaling`` of a config.json.

    Raises
    ------
    FormatError
        naming the key that asks for something not computed here.
    """
    found: dict[str, Any] = {"rope_scaling": None}
    tables = [config.part(name, required=False) for name in ("rope_parameters", "rope_scaling")]
    given = [table for table in tables if table is not None and table.value is not None]
    for holder in (config, *given):
        base = holder.part(_BASE, required=False)
        if base is not None:
            found["rope_base"] = base.of(float)
    for table in given:
        found["rope_scaling"] = _scaling(table) or found["rope_scaling"]
    return found


def _scaling(table: Field) -> dict[str, Any] | None:
    kind = table.part(_KIND, required=False) or table.part(_OLD_KIND, required=False)
    if kind is None or kind.value == "default":
        table.only(_BASE, _KIND, _OLD_KIND)
        return None
    if kind.value != "llama3":
        kind.fail(f"is {kind.value!r}, which is not computed here", allowed="'default' or 'llama3'")
    table.only(_BASE, _KIND, _OLD_KIND, *_SCALING)
    return {ours: table.need(theirs).of(type_) for theirs, (ours, type_) in _SCALING.items()}


def rotary_to(shape: GptConfig) -> dict[str, Any]:
    """The table ``rope_parameters`` of a shape."""
    made: dict[str, Any] = {_BASE: shape.rope_base, _KIND: "default"}
    if shape.rope_scaling is None:
        return made
    scaling = {theirs: getattr(shape.rope_scaling, ours) for theirs, (ours, _) in _SCALING.items()}
    return {**made, _KIND: "llama3", **scaling}
