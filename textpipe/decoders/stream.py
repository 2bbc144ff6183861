"""Text from ids as they come.

What enters: one id after the other, or several at once. What leaves: the text that is certain by now. Promises: the
parts are those of `tokenizers`, whatever the decoder, and with what :meth:`DecodeStream.finish` gives they are the text
of all the ids; no part ends inside a character, so a Korean syllable made of three tokens appears once, whole.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any, Protocol, SupportsIndex

from textpipe.errors import StateError, WrongTypeError, a_kind

__all__ = ["DecodeStream", "Decodes"]

_OPEN = "\ufffd"  # what the bytes of a character that is not complete decode to
_MOST_OPEN = 256  # ids; a character has four bytes, so what is still open then never closes


class Decodes(Protocol):
    """What the stream asks of a tokenizer."""

    def decode(self, ids: Iterable[int], skip_special_tokens: bool = True) -> str:
        """The text of ids."""
        ...


class DecodeStream:
    """Decode a stream of ids.

    Parameters
    ----------
    ids : ids that came before and whose text was shown already, a prompt for instance.
    skip_special_tokens : leave special tokens out.

    Examples
    --------
    >>> from textpipe import Tokenizer
    >>> from textpipe.decoders import ByteLevel
    >>> from textpipe.models import BPE
    >>> tokenizer = Tokenizer(BPE({"í": 0, "ķ": 1, "ľ": 2}))
    >>> tokenizer.decoder = ByteLevel()
    >>> stream = DecodeStream()
    >>> [stream.step(tokenizer, number) for number in (0, 1, 2)]
    [None, None, '한']

    Notes
    -----
    A decoder may look at what stands before a piece, so each step decodes the ids of the part before once more, and
    what is new is what comes behind that part's text. A step takes time in proportion to two parts.
    """

    def __init__(self, ids: Iterable[SupportsIndex] | None = None, skip_special_tokens: bool = False) -> None:
        self.skip_special_tokens = skip_special_tokens
        self._ids = [] if ids is None else _numbers(ids)
        self._shown = ""  # the text of the first _num_shown ids
        self._num_shown = 0
        self._tokenizer: Decodes | None = None

    def step(self, tokenizer: Decodes, id: SupportsIndex | Iterable[SupportsIndex]) -> str | None:
        """The text that ``id`` (or several, a list or an array) completes, or None when a character is still open.

        Raises
        ------
        WrongTypeError
            when ``tokenizer`` cannot decode, or an id is no whole number.
        StateError
            when the decoder makes other text of what was shown already, now that more follows.
        """
        if not hasattr(tokenizer, "decode"):
            raise WrongTypeError(f"{a_kind(tokenizer)} cannot decode ids", allowed="a Tokenizer")
        is_one = isinstance(id, SupportsIndex) and not hasattr(id, "__len__")  # an array has both
        numbers = _numbers([id] if is_one else id)
        self._tokenizer = tokenizer
        if not self._shown and self._ids:
            text = self._text(tokenizer, self._ids)
            if not text.endswith(_OPEN):
                self._shown, self._num_shown = text, len(self._ids)
        self._ids = [*self._ids, *numbers]
        text = self._text(tokenizer, self._ids)
        is_open = text.endswith(_OPEN) and len(self._ids) - self._num_shown < _MOST_OPEN
        if is_open or len(text) <= len(self._shown):
            return None
        new = self._behind(text)
        self._ids = self._ids[self._num_shown :]
        self._num_shown = len(self._ids)
        self._shown = self._text(tokenizer, self._ids)
        return new

    def finish(self) -> str:
        """What is left when no more ids come: U+FFFD for a character that was never completed."""
        if self._tokenizer is None:
            return ""
        rest = self._behind(self._text(self._tokenizer, self._ids))
        self._ids, self._shown, self._num_shown = [], "", 0
        return rest

    def _text(self, tokenizer: Decodes, ids: list[int]) -> str:
        return tokenizer.decode(ids, self.skip_special_tokens)

    def _behind(self, text: str) -> str:
        if not text.startswith(self._shown):
            raise StateError(
                f"the decoder changed text that was shown already: {self._shown[-20:]!r} is now in {text[-40:]!r}",
                hint="decode all the ids with Tokenizer.decode",
            )
        return text[len(self._shown) :]

    def __copy__(self) -> DecodeStream:
        made = DecodeStream(self._ids, self.skip_special_tokens)
        made._shown, made._num_shown, made._tokenizer = self._shown, self._num_shown, self._tokenizer
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> DecodeStream:
        return self.__copy__()


def _number(id: SupportsIndex) -> int:
    try:
        return operator.index(id)
    except TypeError:
        raise WrongTypeError(f"{id!r:.40} is no id", allowed="a whole number") from None


def _numbers(ids: Any) -> list[int]:
    """The ids as Python's own numbers, of an array too."""
    if getattr(ids, "ndim", 1) == 0:
        return [_number(ids)]
    if not isinstance(ids, Iterable):
        raise WrongTypeError(f"{ids!r:.40} is no id", allowed="a whole number, or several")
    return [_number(id) for id in ids]
