"""Configurations as options of the command line: what a file may say, a flag may say, with the same words.

What enters: a configuration class. What leaves: an option for each of its keys, of the type a flag's word is read as.
The configuration itself checks the values.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Collection, Mapping
from typing import Any

import typer

__all__ = ["options_of"]


def options_of(
    config: type[Any], panel: str, *, left_out: Collection[str] = (), flags: Mapping[str, str] | None = None
) -> list[inspect.Parameter]:
    """An option for every key of a configuration that a flag can hold, under a heading of its own.

    ``flags`` names the keys whose flag is not the key itself.
    """
    found = []
    special: Mapping[str, str] = flags or {}
    for name, field in config.model_fields.items():
        if name in left_out:
            continue
        kind, flag = _plain(field.annotation), special.get(name) or "--" + name.replace("_", "-")
        names = [f"{flag}/--no-{flag[2:]}"] if kind is bool else [flag]
        default: Any = [] if kind == list[str] else None
        option = typer.Option(default, *names, help=field.description, rich_help_panel=panel, show_default=False)
        annotation = kind if kind == list[str] else kind | None
        found.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=option, annotation=annotation))
    return found


def _plain(annotation: Any) -> Any:
    """The type a flag's word is read as."""
    if isinstance(annotation, types.UnionType):
        annotation = next(part for part in typing.get_args(annotation) if part is not type(None))
    origin = typing.get_origin(annotation)
    if origin is typing.Literal:  # the configuration itself names what it accepts
        return str
    return list[str] if origin is tuple else annotation
