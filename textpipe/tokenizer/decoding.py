"""Ids back to text.

What enters: ids, in any sequence of whole numbers. What leaves: their text. Promises: the text of `tokenizers`; what
an id reads as is worked out once, however often it comes.
"""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

from textpipe.decoders import ByteLevel
from textpipe.errors import InputError, WrongTypeError
from textpipe.tokenizer.composition import Composition

__all__ = ["Decoding"]

_NO_ID = 2**32


class Decoding(Composition):
    """A composition that turns ids into text."""

    def decode(self, ids: Iterable[int], skip_special_tokens: bool = True) -> str:
        """The text of ids; an id without a piece stands for nothing.

        Parameters
        ----------
        ids : whole numbers: a list, an array, a tensor of one dimension.
        skip_special_tokens : leave special tokens out.

        Raises
        ------
        InputError
            when one of them is no whole number, or not between 0 and 2³² - 1.
        """
        return self._decoded(_numbers(ids, ""), skip_special_tokens)

    def decode_batch(self, sequences: Iterable[Iterable[int]], skip_special_tokens: bool = True) -> list[str]:
        """The text of each sequence of ids; what is wrong with one is said with its number."""
        return [
            self._decoded(_numbers(ids, f"sequence {number}"), skip_special_tokens)
            for number, ids in enumerate(sequences)
        ]

    async def async_decode_batch(
        self, sequences: Iterable[Iterable[int]], skip_special_tokens: bool = True
    ) -> list[str]:
        """As :meth:`decode_batch`, done in a thread."""
        return await asyncio.to_thread(self.decode_batch, sequences, skip_special_tokens)

    def _decoded(self, ids: Sequence[int], skip_special: bool) -> str:
        known = self._looked_at().readings
        readings = known.get(skip_special)
        if readings is None:
            readings = known[skip_special] = _Readings(self, skip_special)
        parts = map(readings.__getitem__, ids)
        if readings.are_bytes:
            return b"".join(parts).decode("utf-8", "replace")
        tokens = [token for token in parts if token is not None]
        return " ".join(tokens) if self._decoder is None else self._decoder.decode(tokens)


class _Readings(dict[int, Any]):
    """What each id met so far reads as: its bytes, where a text is the bytes of its pieces; else its piece, or None."""

    def __init__(self, tokenizer: Composition, skip_special: bool) -> None:
        super().__init__()
        self._tokenizer = tokenizer
        self._skip_special = skip_special
        self.are_bytes = type(tokenizer.decoder) is ByteLevel

    def __missing__(self, number: int) -> Any:
        if not 0 <= number < _NO_ID:
            raise InputError(f"{number} is no id", allowed=f"0 to {_NO_ID - 1}")
        if self.are_bytes:
            reading: Any = self._tokenizer.piece_bytes(number, skip_special=self._skip_special) or b""
        else:
            reading = self._tokenizer.id_to_token(number)
            if self._skip_special and reading is not None and self._tokenizer.is_special(reading):
                reading = None
        if number <= self._tokenizer.pipeline.max_id:  # of numbers without a piece there is no end
            self[number] = reading
        return reading


def _numbers(ids: Any, where: str) -> Sequence[int]:
    """The ids as Python's own numbers."""
    if hasattr(ids, "tolist"):
        ids = ids.tolist()
    if isinstance(ids, Mapping | Set) or not isinstance(ids, Iterable):
        raise WrongTypeError(f"{ids!r:.40} is no sequence of ids", where=where or None)
    numbers = ids if isinstance(ids, list | tuple) else list(ids)
    if set(map(type, numbers)) <= {int}:
        return numbers
    checked = []
    for place, number in enumerate(numbers):
        if not hasattr(number, "__index__") or isinstance(number, bool):
            raise WrongTypeError(f"id {place} is {number!r:.40}", where=where or None, allowed="a whole number")
        checked.append(operator.index(number))
    return checked
