"""The sections of a tokenizer.json that say how long encodings may be.

What enters: the whole object. What leaves: the padding and the truncation it sets, or None. Promises: what is wrong
with a section is a :class:`~textpipe.errors.FormatError` that names the field.
"""

from __future__ import annotations

from typing import Any, TypeVar

from textpipe.encoding.padding import Padding
from textpipe.encoding.truncation import STRATEGIES, Truncation
from textpipe.errors import FormatError, InputError, did_you_mean
from textpipe.formats.fields import Field

__all__ = ["read"]

_Kind = TypeVar("_Kind", Padding, Truncation)
_SIDES = {"Left": "left", "Right": "right"}


def read(top: Field) -> tuple[Padding | None, Truncation | None]:
    """The sections ``padding`` and ``truncation``."""
    padding, truncation = (top.part(name, required=False) for name in ("padding", "truncation"))
    return (
        None if padding is None or padding.value is None else _padding(padding),
        None if truncation is None or truncation.value is None else _truncation(truncation),
    )


def _padding(field: Field) -> Padding:
    field.known("strategy", "direction", "pad_to_multiple_of", "pad_id", "pad_type_id", "pad_token")
    strategy = field.need("strategy")
    if isinstance(strategy.value, dict):
        strategy.only("Fixed")
        length = strategy.get("Fixed", int)
    else:
        _choice(field, "strategy", {"BatchLongest": None})
        length = None
    return _checked(
        field,
        Padding,
        direction=_choice(field, "direction", _SIDES),
        pad_id=field.get("pad_id", int),
        pad_type_id=field.get("pad_type_id", int),
        pad_token=field.get("pad_token", str),
        length=length,
        pad_to_multiple_of=field.get("pad_to_multiple_of", int, None, nullable=True),
    )


def _truncation(field: Field) -> Truncation:
    field.known("direction", "max_length", "strategy", "stride")
    strategies = {name: ours for ours, name in STRATEGIES.items()}
    return _checked(
        field,
        Truncation,
        max_length=field.get("max_length", int),
        stride=field.get("stride", int),
        strategy=_choice(field, "strategy", strategies),
        # Older files have no direction.
        direction=_choice(field, "direction", _SIDES) if "direction" in field.value else "right",
    )


def _choice(field: Field, key: str, choices: dict[str, Any]) -> Any:
    name = field.get(key, str)
    if name not in choices:
        field.need(key).fail(f'is "{name[:40]}"', hint=did_you_mean(name, choices))
    return choices[name]


def _checked(field: Field, kind: type[_Kind], **arguments: Any) -> _Kind:
    try:
        return kind(**arguments)
    except InputError as error:
        raise FormatError(error.what, path=field.path, field=field.name, allowed=error.allowed) from None
