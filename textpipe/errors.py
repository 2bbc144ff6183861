"""Every error textpipe raises on purpose.

What enters: the facts of a failure. What leaves: one exception whose text says what happened, where, what was allowed
and what to do. Each class is also the builtin a Python programmer would expect, so ``except ValueError`` keeps working.

    TextpipeError
    ├── ConfigError        (ValueError)    a setting is unknown or cannot hold that value           exit 2
    ├── MissingExtraError  (ImportError)   an optional dependency is absent; names the pip line     exit 2
    ├── InputError         (ValueError)    text, a file or an argument cannot be used               exit 3
    │   ├── WrongTypeError (TypeError)     an argument is of a type that is not taken               exit 3
    │   └── FormatError                    a file is broken: carries path, field and offset         exit 3
    ├── StateError         (RuntimeError)  two things that must belong together do not              exit 3
    ├── LimitError         (ValueError)    a cap of limits.py was reached                           exit 4
    └── CrawlError         (OSError)       a URL may not be, or could not be, fetched; carries url  exit 5
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable
from typing import Any, ClassVar

__all__ = [
    "ConfigError",
    "CrawlError",
    "FormatError",
    "InputError",
    "LimitError",
    "MissingExtraError",
    "StateError",
    "TextpipeError",
    "WrongTypeError",
    "a_kind",
    "counted",
    "did_you_mean",
    "require",
]

_SHOWN_CHARS = 600  # of what a file holds, in a message


class TextpipeError(Exception):
    """Base of every error raised on purpose.

    Parameters
    ----------
    what : what happened, one sentence without a full stop.
    where : the file, URL, key, stage or step it happened at.
    allowed : what would have been accepted.
    hint : what to do now.

    Examples
    --------
    >>> print(InputError("vocab_size 100 is too small", allowed="256 or more", hint="set vocab_size to 256"))
    vocab_size 100 is too small (allowed: 256 or more). set vocab_size to 256
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, where: object = None, allowed: str | None = None, hint: str | None = None) -> None:
        self.what = what
        self.where = None if where is None else str(where)
        self.allowed = allowed
        self.hint = hint
        text = what if self.where is None else f"{self.where}: {what}"
        if allowed is not None:
            text += f" (allowed: {allowed})"
        if hint is not None:
            text += f". {hint}"
        super().__init__(text)

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors cross process borders; the default would call __init__ with the finished text alone.
        return (_rebuild, (type(self), dict(self.__dict__), self.args))


def _rebuild(kind: type[TextpipeError], state: dict[str, Any], args: tuple[Any, ...]) -> TextpipeError:
    error = kind.__new__(kind)
    error.__dict__.update(state)
    error.args = args
    return error


class ConfigError(TextpipeError, ValueError):
    """A setting is unknown, missing or cannot hold that value.

    ``problems`` are the faults of settings that were checked together: the path of each key, and what is wrong with it.
    """

    exit_code = 2
    problems: tuple[tuple[tuple[str | int, ...], str], ...] = ()


class MissingExtraError(TextpipeError, ImportError):
    """An optional dependency is not installed."""

    exit_code = 2


class InputError(TextpipeError, ValueError):
    """Text, a file or an argument that cannot be used."""

    exit_code = 3


class WrongTypeError(InputError, TypeError):
    """An argument of a type that is not taken, as code that catches TypeError expects it."""


class FormatError(InputError):
    """A file that is not what its name or header promises.

    ``path`` is the file, ``field`` the part of it that is wrong, ``offset`` the byte it was noticed at (or None).
    """

    def __init__(
        self,
        what: str,
        *,
        path: object,
        field: str | None = None,
        offset: int | None = None,
        allowed: str | None = None,
        hint: str | None = None,
    ) -> None:
        self.path = str(path)
        self.field = field = _shortened(field)
        self.offset = offset
        where = self.path
        if field is not None:
            where += f": {field}"
        if offset is not None:
            where += f" at byte {offset}"
        super().__init__(_shortened(what) or what, where=where, allowed=_shortened(allowed), hint=_shortened(hint))


def _shortened(text: str | None) -> str | None:
    """A broken file may hold a megabyte where a name should stand."""
    if text is None or len(text) <= _SHOWN_CHARS:
        return text
    return f"{text[: _SHOWN_CHARS // 2]} … {text[-_SHOWN_CHARS // 2 :]}"


class StateError(TextpipeError, RuntimeError):
    """Two things that must belong together do not (a checkpoint and a tokenizer, a resumed run and its config)."""

    exit_code = 3


class LimitError(TextpipeError, ValueError):
    """A cap of :mod:`textpipe.limits` was reached."""

    exit_code = 4


class CrawlError(TextpipeError, OSError):
    """A URL that may not be, or could not be, fetched."""

    exit_code = 5

    def __init__(self, what: str, *, url: str, allowed: str | None = None, hint: str | None = None) -> None:
        self.url = url
        super().__init__(what, where=url, allowed=allowed, hint=hint)


def a_kind(value: object) -> str:
    """What a value is, for a sentence.

    >>> a_kind(3), a_kind("밥"), a_kind(None)
    ('an int', 'a str', 'None')
    """
    name = type(value).__name__
    if value is None:
        return "None"
    return f"{'an' if name[0] in 'aeiouAEIO' else 'a'} {name}"


def counted(number: int, noun: str) -> str:
    """A number and what it counts.

    >>> counted(1, "column"), counted(2000, "head of attention"), counted(0, "process")
    ('1 column', '2,000 heads of attention', '0 processes')
    """
    if number == 1:
        return f"1 {noun}"
    first, blank, rest = noun.partition(" ")
    return f"{number:,} {first}{'es' if first.endswith(('s', 'x', 'ch')) else 's'}{blank}{rest}"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a hint that names the nearest of ``known``, and the whole list where it is short.

    >>> did_you_mean("ByteLevl", ["ByteLevel", "Metaspace"])
    'did you mean "ByteLevel"? known: ByteLevel, Metaspace'
    """
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    parts = [f'did you mean "{near[0]}"?'] if near else []
    if len(names) <= 40:
        parts.append("known: " + ", ".join(names))
    return " ".join(parts)


def require(module: str, *, extra: str) -> Any:
    """Import an optional dependency, or say exactly how to install it.

    Raises
    ------
    MissingExtraError
        with the ``pip install "textpipe[extra]"`` line.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != module.partition(".")[0]:
            raise  # something that module itself needs is missing: another fault, with its own message
        raise MissingExtraError(
            f"this needs the package {module.partition('.')[0]}, which is not installed",
            hint=f'pip install "textpipe[{extra}]"',
        ) from None
