"""Configurations as options of the command line: what a file may say, a flag may say, with the same words.

What enters: a configuration class. What leaves: an option for each of its keys, of the type a flag's word is read as,
and a command that has them. The configuration itself checks the values.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import typer
from rich.markup import escape

from textpipe.config import Config, choices_of, describe

__all__ = ["options_of", "sentence", "with_options"]

_Command = TypeVar("_Command", bound=Callable[..., None])


def options_of(
    config: type[Any],
    panel: str,
    *,
    left_out: Collection[str] = (),
    flags: Mapping[str, str] | None = None,
    panels: Mapping[str, str] | None = None,
    defaults: bool = False,
) -> list[inspect.Parameter]:
    """An option for every key of a configuration that a flag can hold, under a heading of its own.

    Parameters
    ----------
    flags : the keys whose flag is not the key itself.
    panels : the keys that stand under another heading.
    defaults : whether the help tells the defaults, which a preset may have others of.
    """
    found = []
    for name, field in config.model_fields.items():
        kind, flag = _plain(field.annotation), (flags or {}).get(name) or "--" + name.replace("_", "-")
        if name in left_out or (isinstance(kind, type) and issubclass(kind, Config)):
            continue  # a table stands in a file only
        names = [f"{flag}/--no-{flag[2:]}"] if kind is bool else [flag]
        default: Any = [] if kind == list[str] else None
        option = typer.Option(
            default,
            *names,
            help=sentence(field, repeated=kind == list[str], default=defaults),
            rich_help_panel=(panels or {}).get(name, panel),
            show_default=False,
        )
        annotation = kind if kind == list[str] else kind | None
        found.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=option, annotation=annotation))
    return found


def sentence(field: Any, *, repeated: bool = False, default: bool = True) -> str:
    """What a key means, for a help text."""
    text = describe(field)
    first = text.partition(" ")[0]
    if first.rstrip(",").isalpha() and first not in choices_of(field.annotation):  # names keep their small letters
        text = text[0].upper() + text[1:]
    if default and field.default not in (None, "", False, ()) and " when absent" not in text:
        value = " ".join(field.default) if isinstance(field.default, tuple) else field.default
        text += f"; {value} when absent"
    if repeated:
        text += "; may be repeated"
    return escape(text) + "."


def with_options(
    options: Iterable[inspect.Parameter], *, panels: Sequence[str | None] = ()
) -> Callable[[_Command], _Command]:
    """Make a command whose last parameter is ``**given`` have these options by name.

    ``panels`` is the order of the headings; that of the parameters when absent.
    """

    def decorate(command: _Command) -> _Command:
        own = inspect.signature(command, eval_str=True).parameters.values()
        parameters = [each for each in own if each.kind is not inspect.Parameter.VAR_KEYWORD] + list(options)
        known = list(panels) or list(dict.fromkeys(each.default.rich_help_panel for each in parameters))
        parameters.sort(key=lambda each: known.index(each.default.rich_help_panel))
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {each.name: each.annotation for each in parameters}
        return command

    return decorate


def _plain(annotation: Any) -> Any:
    """The type a flag's word is read as."""
    if isinstance(annotation, types.UnionType):
        annotation = next(part for part in typing.get_args(annotation) if part is not type(None))
    while typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    origin = typing.get_origin(annotation)
    if origin is typing.Literal:  # the configuration itself names what it accepts
        return str
    return list[str] if origin is tuple else annotation
