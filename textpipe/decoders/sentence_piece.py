"""Pieces of a sentencepiece model back to text.

What enters: pieces. What leaves: their text, with spaces for ▁. Promises: the text of sentencepiece 0.2.3.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from textpipe.core.byte_alphabet import BYTE_PIECES
from textpipe.decoders.base import Decoder
from textpipe.errors import InputError
from textpipe.normalizers.sentence_piece import SentencePiece as SentencePieceNormalizer

__all__ = ["SentencePiece"]

_SPACE = "▁"
_NO_UTF8 = re.compile("[\udc80-\udcff]")
_BYTES = {piece: byte for byte, piece in enumerate(BYTE_PIECES)}


@dataclass(eq=False, repr=False, init=False)
class SentencePiece(Decoder):
    """Put the pieces of a sentence together.

    Parameters
    ----------
    strip_spaces : what is left out at the beginning: ``"one"`` space, ``"all"`` of them, or ``"none"``.
    byte_fallback : pieces such as ``<0xEA>`` stand for bytes; those that are no UTF-8 become U+FFFD, one a byte.
    controls : pieces that stand for nothing.
    unk_piece, unk_surface : the piece for the unknown, and what it reads as.
    denormalizer : what the text goes through in the end.

    Examples
    --------
    >>> SentencePiece().decode(["▁안녕", "▁세", "상"])
    '안녕 세상'
    """

    strip_spaces: str
    byte_fallback: bool
    controls: tuple[str, ...]
    unk_piece: str
    unk_surface: str
    denormalizer: SentencePieceNormalizer | None

    def __init__(
        self,
        strip_spaces: str = "one",
        *,
        byte_fallback: bool = False,
        controls: Iterable[str] = (),
        unk_piece: str = "<unk>",
        unk_surface: str = " \u2047 ",
        denormalizer: SentencePieceNormalizer | None = None,
    ) -> None:
        self.strip_spaces = strip_spaces
        self.byte_fallback = byte_fallback
        self.controls = tuple(controls)
        self.unk_piece = unk_piece
        self.unk_surface = unk_surface
        self.denormalizer = denormalizer
        self.__post_init__()

    def __post_init__(self) -> None:
        if self.strip_spaces not in ("none", "one", "all"):
            raise InputError(f'strip_spaces is "{self.strip_spaces}"', allowed='"none", "one" or "all"')

    def chain(self, tokens: Sequence[str]) -> list[str]:
        """The text, alone in a list."""
        text = self._plain_text(tokens)
        if text is None:
            text = self._text(tokens)
        return [text if self.denormalizer is None else self.denormalizer.normalize_str(text)]

    def _plain_text(self, tokens: Sequence[str]) -> str | None:
        """The text of pieces that all stand for themselves, as most do; None where one does not, or may not."""
        if not tokens or not self._other_pieces().isdisjoint(tokens):
            return None
        first, stripped = self._text_of_piece(tokens[0], self.strip_spaces != "none")
        if not first and not stripped:
            return None  # more spaces may have to go
        return first + "".join(tokens[1:]).replace(_SPACE, " ")

    def _other_pieces(self) -> frozenset[str]:
        """The pieces that do not stand for themselves."""
        return frozenset((*self.controls, self.unk_piece, *(_BYTES if self.byte_fallback else ())))

    def _text(self, tokens: Sequence[str]) -> str:
        """The text, piece after piece."""
        controls = frozenset(self.controls)
        parts: list[str] = []
        run = bytearray()
        at_start = self.strip_spaces != "none"
        for token in tokens:
            byte = _BYTES.get(token) if self.byte_fallback else None
            if byte is not None:
                run.append(byte)
                continue
            if run:
                parts.append(_text_of(run))
                run = bytearray()
            at_start = at_start and not parts
            if token in controls:
                continue
            text, stripped = self._text_of_piece(token, at_start)
            if text:
                parts.append(text)
            at_start = at_start and not stripped
        parts.append(_text_of(run))
        return "".join(parts)

    def _text_of_piece(self, piece: str, at_start: bool) -> tuple[str, bool]:
        """The text of a piece, and whether the one space there was to strip has gone with it."""
        starts = at_start and piece.startswith(_SPACE)
        done = starts and self.strip_spaces == "one"
        if piece == self.unk_piece:
            return self.unk_surface, done
        return (piece[1:] if starts else piece).replace(_SPACE, " "), done

    def bytes_of(self, token: str) -> bytes:
        """The bytes of the text of one piece inside a sentence."""
        if self.byte_fallback and token in _BYTES:
            return bytes([_BYTES[token]])
        return b"" if token in self.controls else self._text_of_piece(token, False)[0].encode()

    def to_dict(self) -> dict[str, Any]:
        """Type and arguments; `tokenizers` has no such decoder."""
        return {
            "type": "SentencePiece",
            "strip_spaces": self.strip_spaces,
            "byte_fallback": self.byte_fallback,
            "controls": list(self.controls),
            "unk_piece": self.unk_piece,
            "unk_surface": self.unk_surface,
            "denormalizer": None if self.denormalizer is None else self.denormalizer.to_dict(),
        }


def _text_of(run: bytearray) -> str:
    """Bytes as UTF-8, with one U+FFFD for each byte that is none."""
    return _NO_UTF8.sub("\ufffd", run.decode(errors="surrogateescape"))
