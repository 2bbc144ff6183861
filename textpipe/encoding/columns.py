"""The parallel lists of tokens, made when they are first needed.

What enters: lists, or what knows how to make them, and columns to cut, to change or to put together. What leaves: one
list a name. Promises: a list is made once and never changed afterwards; cutting, changing and putting together make
nothing yet, and however often that is done, a list is made without deep recursion.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

__all__ = [
    "COLUMNS",
    "ChangedColumns",
    "Columns",
    "GivenColumns",
    "JoinedColumns",
    "PartOfColumns",
    "constant_columns",
]

COLUMNS = ("ids", "type_ids", "tokens", "offsets", "word_ids", "special_tokens_mask", "attention_mask")
"""The parallel lists of an encoding."""

_DEEPEST = 64  # columns of columns, before their lists are made


class Columns:
    """Base: the lists of ``num_tokens`` tokens; ``depth`` is how many columns were put over each other for it."""

    __slots__ = ("_made", "depth", "num_tokens")

    type_id: int | None = None
    """The type of all the tokens, where it is known."""

    @property
    def spells_bytes(self) -> bool:
        """Whether pieces are known to be bytes in the printable alphabet, which nobody can read."""
        return False

    def __init__(self, num_tokens: int, depth: int = 0) -> None:
        self.num_tokens = num_tokens
        self.depth = depth
        self._made: dict[str, list[Any]] = {}

    def make(self, name: str) -> list[Any]:
        """The list of this name, one of :data:`COLUMNS`, which nobody else has."""
        raise NotImplementedError(f"{type(self).__name__} has no make()")

    def values(self, name: str) -> list[Any]:
        """The list of this name, to read."""
        found = self._made.get(name)
        if found is None:
            found = self._made[name] = self.make(name)  # another thread may be here too, and makes the same list
        return found

    def copied(self, name: str) -> list[Any]:
        """The list of this name, the caller's own."""
        found = self._made.get(name)
        return self.make(name) if found is None else list(found)

    def settled(self) -> Columns:
        """These columns, or their lists where they stand on too many others."""
        if self.depth < _DEEPEST:
            return self
        return GivenColumns(self.num_tokens, {name: self.values(name) for name in COLUMNS})


class GivenColumns(Columns):
    """Lists that are there already."""

    __slots__ = ()

    def __init__(self, num_tokens: int, lists: Mapping[str, list[Any]]) -> None:
        super().__init__(num_tokens)
        self._made.update(lists)


def constant_columns(count: int, values: Mapping[str, Any]) -> Columns:
    """The same token ``count`` times."""
    return GivenColumns(count, {name: [values[name]] * count for name in COLUMNS})


class ChangedColumns(Columns):
    """Others, with some lists in the place of theirs."""

    __slots__ = ("_base", "_changes")

    def __init__(self, base: Columns, changes: Mapping[str, Callable[[], list[Any]]]) -> None:
        super().__init__(base.num_tokens, base.depth + 1)
        self._base = base
        self._changes = changes

    @property
    def spells_bytes(self) -> bool:
        """As those that were changed."""
        return self._base.spells_bytes

    def make(self, name: str) -> list[Any]:
        """As it was changed, or as it was."""
        change = self._changes.get(name)
        return self._base.copied(name) if change is None else list(change())


class PartOfColumns(Columns):
    """The stretch ``[begin, end)`` of others."""

    __slots__ = ("_base", "_begin")

    def __init__(self, base: Columns, begin: int, end: int) -> None:
        super().__init__(end - begin, base.depth + 1)
        self._base = base
        self._begin = begin

    @property
    def spells_bytes(self) -> bool:
        """As those it is cut from."""
        return self._base.spells_bytes

    def make(self, name: str) -> list[Any]:
        """The stretch of the other list."""
        return self._base.values(name)[self._begin : self._begin + self.num_tokens]


class JoinedColumns(Columns):
    """One behind the other; with ``growing`` the places of each go on where those of the last one ended."""

    __slots__ = ("_growing", "_parts")

    def __init__(self, parts: Sequence[Columns], *, growing: bool) -> None:
        super().__init__(sum([part.num_tokens for part in parts]), max([part.depth for part in parts]) + 1)
        self._parts = parts
        self._growing = growing

    @property
    def spells_bytes(self) -> bool:
        """Where any of them do: what is put around a text is of no bytes."""
        return any(part.spells_bytes for part in self._parts)

    def make(self, name: str) -> list[Any]:
        """The lists in a row."""
        made: list[Any] = []
        for part in self._parts:
            values = part.copied(name)
            shift = made[-1][1] if self._growing and made and name == "offsets" else 0
            made += [(begin + shift, end + shift) for begin, end in values] if shift else values
        return made
