"""Pieces that stand for bytes back to characters.

What enters: pieces, some of them ``<0xEA>``, …. What leaves: each run of those as the text of its bytes, or as one
U+FFFD a byte where they are no UTF-8.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from textpipe.decoders.base import Decoder

__all__ = ["ByteFallback"]

_BYTE = re.compile(r"<0x([0-9A-Fa-f+][0-9A-Fa-f])>")


@dataclass(eq=False, repr=False)
class ByteFallback(Decoder):
    """Put bytes together.

    >>> ByteFallback().decode(["<0xED>", "<0x95>", "<0x9C>", "글", "<0xED>"])
    '한글\ufffd'
    """

    def chain(self, tokens: Sequence[str]) -> list[str]:
        """The pieces, each run of bytes as its text."""
        found: list[str] = []
        run = bytearray()
        for token in tokens:
            byte = _BYTE.fullmatch(token) if token.startswith("<0x") else None
            if byte is not None:
                run.append(int(byte[1], 16))
                continue
            if run:
                found += _texts_of(run)
                run.clear()
            found.append(token)
        return found + _texts_of(run)

    def bytes_of(self, token: str) -> bytes:
        """The byte, or the text of another piece."""
        byte = _BYTE.fullmatch(token)
        return token.encode() if byte is None else bytes([int(byte[1], 16)])

    def to_dict(self) -> dict[str, Any]:
        """``{"type": …}``: there are no arguments."""
        return {"type": "ByteFallback"}


def _texts_of(run: bytearray) -> list[str]:
    if not run:
        return []
    try:
        return [run.decode()]
    except UnicodeDecodeError:
        return ["\ufffd"] * len(run)
