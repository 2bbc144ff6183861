"""Text from ids as they come.

What enters: one id after the other. What leaves: the text that is certain by now. Promises: the parts, and what
finish() gives, joined are the text of all the ids; no part ends inside a character, so a Korean syllable made of
three tokens appears once, whole.
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from typing import Any, Protocol

from textpipe.errors import InputError

__all__ = ["DecodeStream", "Pieces"]


class Pieces(Protocol):
    """What the stream asks of a tokenizer."""

    @property
    def decoder(self) -> Any:
        """The decoder, or None."""

    def piece_bytes(self, id: int, *, skip_special: bool) -> bytes | None:
        """The bytes an id adds to decoded text."""


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
    """

    def __init__(self, ids: Sequence[int] | None = None, skip_special_tokens: bool = False) -> None:
        self.skip_special_tokens = skip_special_tokens
        self._prompt = list(ids or ())
        self._is_first = True
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def step(self, tokenizer: Pieces, id: int | Sequence[int]) -> str | None:
        """The text that ``id`` (or several) completes, or None when a character is still open."""
        for number in self._prompt:
            self._advance(tokenizer, number)
        self._prompt = []
        text = "".join([self._advance(tokenizer, number) for number in ([id] if isinstance(id, int) else id)])
        return text or None

    def finish(self) -> str:
        """What is left when no more ids come: U+FFFD for a character that was never completed."""
        return self._decoder.decode(b"", final=True)

    def _advance(self, tokenizer: Pieces, number: int) -> str:
        if tokenizer.decoder is not None and not tokenizer.decoder.piece_by_piece:
            raise InputError(
                f"a stream cannot decode with {type(tokenizer.decoder).__name__}: its text is not that of its pieces",
                hint="decode all the ids with Tokenizer.decode",
            )
        data = tokenizer.piece_bytes(number, skip_special=self.skip_special_tokens)
        if data is None:
            return ""
        # Without a decoder the pieces stand with spaces between.
        if tokenizer.decoder is None and not self._is_first:
            data = b" " + data
        self._is_first = False
        return self._decoder.decode(data)
