"""Settings: pydantic models that read and write TOML.

What enters: a TOML file or keyword arguments. What leaves: a frozen, checked model. An unknown key is refused with the
nearest known one; a wrong value is refused with the key's full name and what would be accepted; of a file, with the
line it stands on.
"""

from __future__ import annotations

import os
import textwrap
import tomllib
import types
import typing
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

import pydantic
from pydantic.fields import FieldInfo

from textpipe.errors import ConfigError, did_you_mean
from textpipe.files import write_text

__all__ = [
    "Config",
    "Field",
    "choices_of",
    "commented_keys",
    "describe",
    "dump_toml",
    "load_mapping",
    "load_toml",
    "with_lines",
]

Field = pydantic.Field
_COMMENT_CHARS = 98

C = TypeVar("C", bound="Config")


class Config(pydantic.BaseModel):
    """Base of every configuration: frozen, comparable, refuses keys it does not know.

    Raises
    ------
    ConfigError
        naming every key that is unknown or holds a value it cannot.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False)

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except pydantic.ValidationError as error:
            raise _explain(error, type(self)) from None

    def replaced(self, **changes: Any) -> Self:
        """A copy with some keys changed, checked again."""
        return type(self)(**{**self.model_dump(), **changes})

    def differences(self, other: Config) -> dict[str, tuple[object, object]]:
        """``{key: (mine, theirs)}`` for the keys whose values differ."""
        mine, theirs = self.model_dump(mode="json"), other.model_dump(mode="json")
        return {
            key: (mine.get(key), theirs.get(key))
            for key in sorted(mine.keys() | theirs.keys())
            if mine.get(key) != theirs.get(key)
        }


def _explain(error: pydantic.ValidationError, model: type[pydantic.BaseModel]) -> ConfigError:
    problems: list[tuple[tuple[int | str, ...], str]] = []
    hints = []
    for problem in error.errors(include_url=False):
        keys, said = problem["loc"], problem["msg"].removeprefix("Value error, ")
        inner = problem.get("ctx", {}).get("error")
        if isinstance(inner, ConfigError) and inner.problems:  # of a table, which was checked first
            problems += [((*keys, *its_keys), f"[{_dotted(keys)}] {text}") for its_keys, text in inner.problems]
            hints += [] if inner.hint is None else [inner.hint]
        elif problem["type"] == "extra_forbidden":
            problems.append((keys, f"unknown key {_dotted(keys)}"))
            hints.append(did_you_mean(str(keys[-1]), _known_keys(model, keys[:-1])))
        elif problem["type"] == "missing":
            problems.append((keys, f"the key {_dotted(keys)} is missing"))
        elif not keys:  # a rule over several keys: its own words name them
            problems.append((keys, said))
        else:
            shown = repr(problem.get("input"))
            problems.append((keys, f"{_dotted(keys)} = {shown[:80]}: {said}"))
    made = ConfigError("; ".join(text for _, text in problems), hint=" ".join(hints) or None)
    made.problems = tuple(problems)
    return made


def _dotted(keys: Sequence[int | str]) -> str:
    return ".".join(map(str, keys))


def _known_keys(model: type[pydantic.BaseModel], path: tuple[int | str, ...]) -> list[str]:
    for part in path:
        field = model.model_fields.get(str(part))
        inner = field.annotation if field is not None else None
        if not (isinstance(inner, type) and issubclass(inner, pydantic.BaseModel)):
            return []
        model = inner
    return list(model.model_fields)


def load_toml(path: str | os.PathLike[str], model: type[C]) -> C:
    """Read ``model`` from a TOML file.

    Raises
    ------
    ConfigError
        when the file is not TOML, or a key is unknown, missing or wrong; the message names the file, the line and the
        key.
    """
    values = load_mapping(path)
    try:
        return model(**values)
    except ConfigError as error:
        raise with_lines(error, path) from None


def with_lines(error: ConfigError, path: str | os.PathLike[str]) -> ConfigError:
    """The same error, said of a TOML file, each of its keys with the line it stands on."""
    lines = _text(path).split("\n")
    said = []
    for keys, text in error.problems:
        line = _line_of(keys, lines)
        said.append(text if line is None else f"line {line}: {text}")
    return ConfigError("; ".join(said) or error.what, where=path, hint=error.hint)


def _line_of(keys: Sequence[int | str], lines: Sequence[str]) -> int | None:
    """The line on which a key begins: the one after the longest beginning of the file that is TOML and lacks it."""
    while keys and not _holds(tomllib.loads("\n".join(lines)), keys):
        keys = keys[:-1]  # a missing key is looked for in its table
    if not keys:
        return None
    without, within = 0, len(lines)
    while within - without > 1:
        middle = (without + within) // 2
        end = middle
        while (values := _parsed(lines[:end])) is None:
            end += 1
        if _holds(values, keys):
            within = middle
        else:
            without = end
    return within


def _parsed(lines: Sequence[str]) -> dict[str, Any] | None:
    try:
        return tomllib.loads("\n".join(lines))
    except tomllib.TOMLDecodeError:
        return None


def _holds(value: Any, keys: Sequence[int | str]) -> bool:
    for key in keys:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return False
    return True


def load_mapping(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The plain contents of a TOML file.

    Raises
    ------
    ConfigError
        when the file is not TOML.
    """
    try:
        return tomllib.loads(_text(path))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"not a TOML file: {error}", where=path) from None


def _text(path: str | os.PathLike[str]) -> str:
    """What a TOML file says, behind the byte-order mark that some editors begin it with."""
    try:
        return Path(path).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        what = f"not a TOML file: byte 0x{error.object[error.start]:02x} at offset {error.start} is not UTF-8"
        raise ConfigError(what, where=path, hint="save it as UTF-8 (it may be CP949)") from None


def dump_toml(config: Config, path: str | os.PathLike[str] | None = None) -> str:
    """Write ``config`` as TOML, each key with its description as a comment; keys that are None are left out.

    Returns the text; with ``path`` it is also written there.
    """
    import tomlkit

    document = tomlkit.document()
    _fill(document, config)
    text = tomlkit.dumps(document)
    if path is not None:
        write_text(path, text)
    return text


def _fill(table: Any, config: pydantic.BaseModel) -> None:
    import tomlkit

    nested = []
    values = config.model_dump(mode="json", exclude_none=True)
    for name, field in type(config).model_fields.items():
        value = getattr(config, name)
        if isinstance(value, pydantic.BaseModel):
            nested.append((name, value))
        elif name in values:
            item = tomlkit.item(values[name])
            if field.description:
                item.comment(describe(field))
            table.add(name, item)
    for name, value in nested:  # TOML wants plain keys before tables
        inner = tomlkit.table()
        _fill(inner, value)
        table.add(name, inner)


def commented_keys(
    model: type[pydantic.BaseModel], values: Mapping[str, Any], *, left_out: Collection[str] = ()
) -> list[str]:
    """Lines of TOML with every key of ``model`` under a comment that says what it means, to be edited.

    ``values`` replace the defaults; a key that has neither stands commented out.
    """
    import tomlkit

    lines = []
    for key, field in model.model_fields.items():
        if key in left_out:
            continue
        value = values.get(key, field.default)
        lines += [f"# {line}" for line in textwrap.wrap(describe(field), _COMMENT_CHARS)]
        lines.append(f"# {key} =" if value is None else f"{key} = {tomlkit.item(value).as_string()}")
    return lines


def describe(field: FieldInfo) -> str:
    """What a key means, and the words it takes where those are few."""
    choices = choices_of(field.annotation)
    text = field.description or ""
    return f"{text}; one of {', '.join(choices)}" if choices else text


def choices_of(annotation: Any) -> list[str]:
    """The words a key takes; none where it takes more than words that are listed."""
    if isinstance(annotation, types.UnionType):
        annotation = next(part for part in typing.get_args(annotation) if part is not types.NoneType)
    return (
        [str(word) for word in typing.get_args(annotation)] if typing.get_origin(annotation) is typing.Literal else []
    )
