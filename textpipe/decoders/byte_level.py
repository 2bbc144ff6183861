"""Byte-level pieces back to text.

What enters: pieces in the printable alphabet of bytes. What leaves: the text of the bytes; bytes that are no UTF-8
become U+FFFD. A piece with a character outside the alphabet, such as an added token, stands for itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from textpipe.core.byte_alphabet import to_bytes
from textpipe.decoders.base import Decoder

__all__ = ["ByteLevel"]


@dataclass(eq=False, repr=False)
class ByteLevel(Decoder):
    """Join the bytes of the pieces. The arguments are kept for tokenizer.json; none of them changes the text.

    >>> ByteLevel().decode(["íķľ", "Ġ", "1"])
    '한 1'
    """

    add_prefix_space: bool = True
    trim_offsets: bool = True
    use_regex: bool = True

    def chain(self, tokens: Sequence[str]) -> list[str]:
        """The text of the pieces, as one."""
        return [b"".join([self.bytes_of(token) for token in tokens]).decode("utf-8", "replace")]

    def bytes_of(self, token: str) -> bytes:
        """The bytes one piece stands for."""
        data = to_bytes(token)
        return token.encode() if data is None else data

    def to_dict(self) -> dict[str, Any]:
        """Type and arguments."""
        return {
            "type": "ByteLevel",
            "add_prefix_space": self.add_prefix_space,
            "trim_offsets": self.trim_offsets,
            "use_regex": self.use_regex,
        }
