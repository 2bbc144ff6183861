"""What encoding a text gives.

What enters: the columns of its tokens. What leaves: one value with parallel lists, and look-ups between characters,
words and tokens. Promises: the same fields and answers as `tokenizers`' Encoding; a list is made when it is first asked
for; a list given out is a copy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from textpipe.encoding.columns import (
    COLUMNS,
    ChangedColumns,
    Columns,
    GivenColumns,
    JoinedColumns,
    PartOfColumns,
    constant_columns,
)
from textpipe.encoding.lookups import Lookups
from textpipe.encoding.notebook import encoding_html
from textpipe.encoding.parting import check_count, check_side, starts_of_parts, too_many_ways
from textpipe.errors import WrongTypeError, a_kind
from textpipe.limits import DEFAULT_LIMITS

__all__ = ["COLUMNS", "Encoding", "special_columns"]

_PADDING = {"offsets": (0, 0), "word_ids": None, "special_tokens_mask": 1, "attention_mask": 0}


class Encoding(Lookups):
    """The tokens of a text, or of several put together.

    ``offsets`` are characters ``[begin, end)`` of the text the token came from; ``word_ids`` number the pre-tokens and
    are None for tokens that a template or padding added. ``overflowing`` holds what a truncation cut off.
    """

    __slots__ = ("_overflowing",)

    def __init__(self) -> None:
        self._columns = _NO_TOKENS
        self._overflowing: list[Encoding] = []
        self._ranges = {}

    @classmethod
    def of_columns(cls, columns: Columns) -> Encoding:
        """An encoding whose lists are made when they are asked for."""
        made = cls()
        made._columns = columns
        return made

    @classmethod
    def of_tokens(
        cls,
        ids: list[int],
        tokens: list[str],
        offsets: list[tuple[int, int]],
        word_ids: Sequence[int | None],
        *,
        type_id: int = 0,
    ) -> Encoding:
        """An encoding of one text."""
        count = len(ids)
        lists: dict[str, list[Any]] = {
            "ids": ids,
            "type_ids": [type_id] * count,
            "tokens": tokens,
            "offsets": offsets,
            "word_ids": list(word_ids),
            "special_tokens_mask": [0] * count,
            "attention_mask": [1] * count,
        }
        return cls.of_columns(GivenColumns(count, lists))

    @classmethod
    def of_special_tokens(cls, ids: tuple[int, ...], tokens: tuple[str, ...], type_id: int) -> Encoding:
        """Tokens that a template adds: they are of no text."""
        return cls.of_columns(special_columns(ids, tokens, type_id))

    @staticmethod
    def merge(encodings: Iterable[Encoding], growing_offsets: bool = True) -> Encoding:
        """All of them as one; with ``growing_offsets`` each text's places go on where the last one's ended."""
        encodings = list(encodings)
        for number, encoding in enumerate(encodings):
            if not isinstance(encoding, Encoding):
                raise WrongTypeError(f"part {number} to merge is {a_kind(encoding)}", allowed="an Encoding")
        if any(encoding._overflowing for encoding in encodings):
            merged = encodings[0].copy()
            for encoding in encodings[1:]:
                merged._check_growth(encoding)
                merged = merged._with(encoding, growing_offsets)
            return merged
        return _joined(encodings, growing_offsets)

    def _with(self, other: Encoding, growing_offsets: bool) -> Encoding:
        """This one and another behind it; every part cut off one goes with every part of the other."""
        overflowing = []
        for part in self._overflowing:
            overflowing.append(part._with(other, growing_offsets))
            overflowing += [part._with(behind, growing_offsets) for behind in other._overflowing]
        overflowing += [self._with(behind, growing_offsets) for behind in other._overflowing]
        made = _joined([self, other], growing_offsets)
        made._overflowing = overflowing
        return made

    def _check_growth(self, other: Encoding) -> None:
        """Refuse what :meth:`_with` would make too much of: parts have parts, and each text more multiplies them all.

        With n parts of the other the encodings there will be are 2nV + (1 - n)W, where W counts those there are,
        parts of parts included, and V those in each of these.
        """
        count = other._counts()[0] - 1
        if count:
            size, sizes = self._counts()
            if 2 * count * sizes + (1 - count) * size > 3 * DEFAULT_LIMITS.overflowing_ways:  # three a way of two texts
                raise too_many_ways("too many")

    def _counts(self) -> tuple[int, int]:
        """How many encodings this is, parts of parts included, and the sum of what each of them is."""
        counts = [part._counts() for part in self._overflowing]
        size = 1 + sum(count for count, _ in counts)
        return size, size + sum(total for _, total in counts)

    def _changed(self, columns: Columns) -> Encoding:
        made = Encoding.of_columns(columns.settled())
        made._ranges = self._ranges  # replaced by what changes it, never changed itself
        if self._overflowing:
            made._overflowing = list(self._overflowing)
        return made

    def copy(self) -> Encoding:
        """Another encoding of the same tokens; what is done to one leaves the other alone."""
        made = self._changed(self._columns)
        if self._overflowing:
            made._overflowing = [part.copy() for part in self._overflowing]
        return made

    def with_columns(self, **columns: Callable[[], list[Any]]) -> Encoding:
        """A copy with other lists of the same length in place of some."""
        made = self.copy()
        made._columns = ChangedColumns(self._columns, columns).settled()
        return made

    def with_type_id(self, type_id: int) -> Encoding:
        """A copy whose tokens all have this type."""
        if type_id == self._columns.type_id:
            return self.copy()
        count = len(self)
        return self.with_columns(type_ids=lambda: [type_id] * count)

    def with_ranges(self, ranges: Mapping[int, range]) -> Encoding:
        """A copy that says which of its tokens come from which text."""
        made = self.copy()
        made._ranges = dict(ranges)
        return made

    def with_sequence_id(self, sequence: int) -> Encoding:
        """A copy that says its tokens come from text number ``sequence``."""
        made = self.copy()
        made._ranges = {**self._ranges, sequence: range(len(self))}
        return made

    def without_overflowing(self) -> Encoding:
        """A copy without the parts that were cut off."""
        made = self._changed(self._columns)
        made._overflowing = []
        return made

    def with_overflowing(self, change: Callable[[Encoding], Encoding]) -> Encoding:
        """What ``change`` makes of it, and of each part that was cut off."""
        made = change(self)
        if self._overflowing:
            made._overflowing = [change(part) for part in self._overflowing]
        return made

    def framed(self, before: tuple[Columns, ...], after: tuple[Columns, ...]) -> Encoding:
        """The tokens of text number 0, of which nothing was cut off, between others that are of no text."""
        made = Encoding.of_columns(JoinedColumns((*before, self._columns, *after), growing=False).settled())
        begin = sum([part.num_tokens for part in before])
        made._ranges = {0: range(begin, begin + len(self))}
        return made

    def has_type(self, type_id: int) -> bool:
        """Whether all tokens are known to be of this type, and nothing was cut off."""
        return self._columns.type_id == type_id and not self._overflowing

    def set_sequence_id(self, sequence_id: int) -> None:
        """Say that all the tokens come from text number ``sequence_id``."""
        check_count("sequence_id", sequence_id)
        self._ranges = {**self._ranges, sequence_id: range(len(self))}

    def pad(
        self,
        length: int,
        *,
        direction: str = "right",
        pad_id: int = 0,
        pad_type_id: int = 0,
        pad_token: str = "[PAD]",
    ) -> None:
        """Add padding tokens until there are ``length``, here and in the parts that were cut off.

        Raises
        ------
        InputError
            when ``direction`` is neither left nor right, or ``length`` below 0.
        """
        check_side(direction)
        check_count("length", length)
        for part in self._overflowing:
            part.pad(length, direction=direction, pad_id=pad_id, pad_type_id=pad_type_id, pad_token=pad_token)
        count = length - len(self)
        if count <= 0:
            return
        token = {"ids": pad_id, "type_ids": pad_type_id, "tokens": pad_token, **_PADDING}
        padding = constant_columns(count, token)
        parts = (padding, self._columns) if direction == "left" else (self._columns, padding)
        self._columns = JoinedColumns(parts, growing=False).settled()
        if direction == "left":
            self._ranges = {number: range(r.start + count, r.stop + count) for number, r in self._ranges.items()}

    def truncate(self, max_length: int, stride: int = 0, direction: str = "right") -> None:
        """Keep ``max_length`` tokens; the others go to ``overflowing``, in parts of that length.

        Parameters
        ----------
        stride : how many tokens a part shares with the one before.
        direction : the side to cut tokens off.

        Raises
        ------
        InputError
            when ``stride`` leaves a part no token of its own, ``direction`` is neither left nor right, or a number is
            below 0.
        LimitError
            when the parts are too many.
        """
        check_side(direction)
        check_count("max_length", max_length)
        check_count("stride", stride)
        count = len(self)
        if max_length >= count:
            return
        if max_length == 0:
            self._become(Encoding(), [self.copy()])
            return
        places = [(begin, min(begin + max_length, count)) for begin in starts_of_parts(count, max_length, stride)]
        if direction == "left":
            places = [(count - end, count - begin) for begin, end in places]
        first, *others = [self._part(begin, end) for begin, end in places]
        self._become(first, others)

    def _become(self, other: Encoding, overflowing: list[Encoding]) -> None:
        self._columns, self._ranges, self._overflowing = other._columns, other._ranges, overflowing

    def _part(self, begin: int, end: int) -> Encoding:
        made = self._changed(PartOfColumns(self._columns, begin, end))
        made._ranges, made._overflowing = {}, []  # which text a token is of, `tokenizers` forgets as well
        return made

    def _list(self, name: str) -> list[Any]:
        return self._columns.copied(name)

    @property
    def ids(self) -> list[int]:
        """The ids of the tokens."""
        return self._list("ids")

    @property
    def type_ids(self) -> list[int]:
        """The type of each token, which tells texts apart."""
        return self._list("type_ids")

    @property
    def tokens(self) -> list[str]:
        """The pieces of the tokens."""
        return self._list("tokens")

    @property
    def offsets(self) -> list[tuple[int, int]]:
        """The characters ``[begin, end)`` each token stands for."""
        return self._list("offsets")

    @property
    def word_ids(self) -> list[int | None]:
        """The number of the word each token belongs to."""
        return self._list("word_ids")

    words = word_ids

    @property
    def special_tokens_mask(self) -> list[int]:
        """1 for tokens that a template or padding added."""
        return self._list("special_tokens_mask")

    @property
    def attention_mask(self) -> list[int]:
        """0 for padding."""
        return self._list("attention_mask")

    @property
    def overflowing(self) -> list[Encoding]:
        """The parts that a truncation cut off."""
        return list(self._overflowing)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Encoding) and self.__getstate__() == other.__getstate__()

    def __hash__(self) -> int:
        return hash(Encoding)  # it can be padded and cut: only what never changes may count

    def __getstate__(self) -> tuple[Any, ...]:
        columns = {name: self._columns.values(name) for name in COLUMNS}
        return len(self), columns, self._overflowing, self._ranges

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        count, lists, self._overflowing, self._ranges = state
        self._columns = GivenColumns(count, lists)

    def _repr_html_(self) -> str:
        return encoding_html(self)

    def __repr__(self) -> str:
        return (
            f"Encoding(num_tokens={len(self)}, attributes=[ids, type_ids, tokens, offsets, attention_mask, "
            "special_tokens_mask, overflowing])"
        )


_NO_TOKENS = GivenColumns(0, {name: [] for name in COLUMNS})


@lru_cache(maxsize=1024)  # every text gets the same ones: one value for all of them
def special_columns(ids: tuple[int, ...], tokens: tuple[str, ...], type_id: int) -> Columns:
    """The columns of tokens that a template adds."""
    token = {"type_ids": type_id, "offsets": (0, 0), "word_ids": None, "special_tokens_mask": 1, "attention_mask": 1}
    lists = {name: [value] * len(ids) for name, value in token.items()}
    return GivenColumns(len(ids), {"ids": list(ids), "tokens": list(tokens), **lists})


def _joined(encodings: list[Encoding], growing_offsets: bool) -> Encoding:
    """One encoding of several, without what was cut off them."""
    made = Encoding()
    if not encodings:
        return made
    columns = [encoding._columns for encoding in encodings]
    joined = columns[0] if len(columns) == 1 else JoinedColumns(columns, growing=growing_offsets)
    made._columns = joined.settled()
    count = 0
    for encoding in encodings:
        for number, r in encoding._ranges.items():
            made._ranges[number] = range(r.start + count, r.stop + count)
        count += len(encoding)
    return made
