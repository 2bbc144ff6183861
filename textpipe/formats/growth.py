"""How much larger a file's stages may make a text.

What enters: a normalizer or a decoder that a file asks for. What leaves: nothing, or the refusal of a file of a few
hundred bytes whose replacements, one after the other, would turn a word into gigabytes.
"""

from __future__ import annotations

from typing import Any

from textpipe import decoders, normalizers
from textpipe.formats.fields import Field
from textpipe.limits import Limits

__all__ = ["check_growth"]


def check_growth(stage: Any, field: Field, limits: Limits) -> None:
    """Refuse a normalizer or decoder that may multiply a text, or put more before it, beyond the caps.

    Raises
    ------
    FormatError
        that names the stage.
    """
    factor, added = _growth(stage)
    if factor > limits.text_growth:
        field.fail(f"may make a text {factor:.3g} times as long", allowed=f"at most {limits.text_growth} times")
    if added > limits.prepended_chars:
        field.fail(f"puts {added} characters before a text", allowed=f"at most {limits.prepended_chars}")


def _growth(stage: Any) -> tuple[float, int]:
    """By what factor a text may grow, and by how many characters more."""
    if isinstance(stage, normalizers.Sequence | decoders.Sequence):
        parts = stage.normalizers if isinstance(stage, normalizers.Sequence) else stage.decoders
        factor, added = 1.0, 0
        for part in parts:
            part_factor, part_added = _growth(part)
            factor *= part_factor
            added = int(min(added * part_factor, 1e18)) + part_added
        return factor, added
    if isinstance(stage, normalizers.Prepend):
        return 1.0, len(stage.prepend)
    if isinstance(stage, normalizers.Replace | decoders.Replace):
        # A pattern may match single characters, and the nothing between them; a string as often as it fits.
        shortest = len(stage.pattern) if isinstance(stage.pattern, str) else 1
        return max(1.0, len(stage.content) / max(1, shortest)), 0
    return 1.0, 0
