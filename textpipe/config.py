"""Settings: pydantic models that read and write TOML.

What enters: a TOML file or keyword arguments. What leaves: a frozen, checked model. An unknown key is refused with the
nearest known one; a wrong value is refused with the key's full name and what would be accepted.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, Self, TypeVar

import pydantic

from textpipe.errors import ConfigError, did_you_mean
from textpipe.files import write_text

__all__ = ["Config", "Field", "dump_toml", "load_mapping", "load_toml"]

Field = pydantic.Field


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


def _explain(error: pydantic.ValidationError, model: type[pydantic.BaseModel], where: object = None) -> ConfigError:
    messages, hints = [], []
    for problem in error.errors(include_url=False):
        key = ".".join(str(part) for part in problem["loc"]) or model.__name__
        if problem["type"] == "extra_forbidden":
            messages.append(f"unknown key {key}")
            hints.append(did_you_mean(str(problem["loc"][-1]), _known_keys(model, problem["loc"][:-1])))
        elif problem["type"] == "missing":
            messages.append(f"the key {key} is missing")
        elif not problem["loc"]:  # a rule over several keys: its own words name them
            messages.append(problem["msg"].removeprefix("Value error, "))
        else:
            shown = repr(problem.get("input"))
            messages.append(f"{key} = {shown[:80]}: {problem['msg'].removeprefix('Value error, ')}")
    return ConfigError("; ".join(messages), where=where, hint=" ".join(hints) or None)


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
        when the file is not TOML, or a key is unknown, missing or wrong; the message names the file and the key.
    """
    values = load_mapping(path)
    try:
        return model(**values)
    except ConfigError as error:
        raise ConfigError(error.what, where=path, hint=error.hint) from None


def load_mapping(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The plain contents of a TOML file.

    Raises
    ------
    ConfigError
        when the file is not TOML.
    """
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"not a TOML file: {error}", where=path) from None


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
                item.comment(field.description)
            table.add(name, item)
    for name, value in nested:  # TOML wants plain keys before tables
        inner = tomlkit.table()
        _fill(inner, value)
        table.add(name, inner)
