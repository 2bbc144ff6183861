"""The printable characters that stand for bytes in byte-level vocabularies, and the names of bytes in others.

What enters: bytes, or text in that alphabet. What leaves: the other. Printable Latin-1 stands for itself, the other
68 bytes for U+0100 and up, in order; a space is thus Ġ and a newline Ċ.
"""

from __future__ import annotations

__all__ = ["BYTE_OF", "BYTE_PIECES", "CHARACTER_OF", "to_bytes", "to_characters"]


def _make_alphabet() -> tuple[str, ...]:
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return tuple(chr(byte) if byte in printable else chr(next(others)) for byte in range(256))


CHARACTER_OF = _make_alphabet()
BYTE_PIECES = tuple(f"<0x{byte:02X}>" for byte in range(256))
"""What bytes are called in vocabularies that fall back to them."""
BYTE_OF = {character: byte for byte, character in enumerate(CHARACTER_OF)}


def to_characters(data: bytes) -> str:
    """The printable form of bytes.

    >>> to_characters("한 ".encode())
    'íķľĠ'
    """
    return "".join([CHARACTER_OF[byte] for byte in data])


def to_bytes(piece: str) -> bytes | None:
    """The bytes of a printable form, or None when a character is not of the alphabet.

    >>> to_bytes("íķľĠ").decode()
    '한 '
    """
    try:
        return bytes([BYTE_OF[character] for character in piece])
    except KeyError:
        return None
