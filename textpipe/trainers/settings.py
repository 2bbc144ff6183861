"""What every trainer has: its settings, as a value.

What enters: keyword arguments of the names that `tokenizers` uses. What leaves: a value that compares, prints what
differs from the defaults, and writes JSON. Promises: a setting that cannot be is refused by its name when it is given.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, cast

from textpipe.errors import ConfigError, WrongTypeError
from textpipe.limits import DEFAULT_LIMITS, Limits
from textpipe.models.added_tokens import AddedToken, AddedVocabulary
from textpipe.stages.stage import Stage

__all__ = ["TrainerSettings", "VocabularyTrainer"]


class TrainerSettings(Stage):
    """What every trainer does with its settings; a subclass is a dataclass that has ``special_tokens`` among them."""

    special_tokens: Sequence[str | AddedToken]

    _numbers: ClassVar[tuple[str, ...]] = ()
    _optional_numbers: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "special_tokens", _special(self.special_tokens))
        for name in (*self._numbers, *self._optional_numbers):
            value = getattr(self, name)
            if value is None and name in self._optional_numbers:
                continue
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise ConfigError(f"{name} cannot be {value!r}", allowed="a whole number, 0 or more")

    @property
    def special_texts(self) -> list[str]:
        """The texts of the special tokens, each once, in order."""
        return list(dict.fromkeys(map(str, self.special_tokens)))

    def _defaults(self) -> dict[str, Any]:
        return {f.name: f.default for f in fields(cast("Any", self)) if f.init}

    def __repr__(self) -> str:
        defaults = self._defaults()
        row = {name: getattr(self, name) for name in defaults}
        if all(token == AddedToken(str(token), special=True) for token in self.special_tokens):
            row["special_tokens"] = [str(token) for token in self.special_tokens]
        changed = (name for name, value in row.items() if _plain(value) != _plain(defaults[name]))
        return f"{type(self).__name__}({', '.join(f'{name}={row[name]!r}' for name in changed)})"

    def to_json(self) -> str:
        """The settings as JSON; special tokens by their text."""
        row = {name: getattr(self, name) for name in self._defaults()}
        row["special_tokens"] = self.special_texts
        return json.dumps(row, ensure_ascii=False)


@dataclass(eq=False, kw_only=True, repr=False)
class VocabularyTrainer(TrainerSettings):
    """Base of the trainers of one text.

    Parameters
    ----------
    vocab_size : how many entries, special tokens included.
    min_frequency : what occurs less often is not learned.
    show_progress : report on a terminal's standard error while training.
    special_tokens : strings or added tokens, first in the vocabulary; kept as added tokens that are special.
    """

    vocab_size: int = 30000
    min_frequency: int = 0
    show_progress: bool = True
    special_tokens: Sequence[str | AddedToken] = ()

    _numbers: ClassVar[tuple[str, ...]] = ("vocab_size", "min_frequency")

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_limits(DEFAULT_LIMITS)

    def check_limits(self, limits: Limits) -> None:
        """Refuse a vocabulary no file of ours could hold."""
        if self.vocab_size > limits.vocab_size:
            raise ConfigError(f"vocab_size {self.vocab_size} is too large", allowed=f"up to {limits.vocab_size}")


def _plain(value: Any) -> Any:
    """A value to compare with a default, which cannot be a list."""
    return tuple(value) if isinstance(value, list) else value


def _special(tokens: Sequence[str | AddedToken]) -> list[AddedToken]:
    if isinstance(tokens, str):
        raise WrongTypeError("special_tokens is one string", allowed="a list of str or AddedToken")
    for number, token in enumerate(tokens):
        if not isinstance(token, str | AddedToken):
            raise WrongTypeError(f"special token {number} is {token!r:.40}", allowed="a str or an AddedToken")
    return [AddedVocabulary.of(token, special=True) for token in tokens]
