"""Byte-pair encoding by ranks, as tiktoken's vocabularies have it.

What enters: byte strings with their ranks. What leaves: the tokens of a word of bytes. Promises: the tokens of
tiktoken: neighbours that together are a piece are joined, the piece of the lowest rank first. A list of merges fixes
the two parts a piece is made of; ranks do not, and the two differ on about one token of a million.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textpipe.core._native import NativeGuarded, NativeModel
from textpipe.core._rank_bpe import NativeRankBpe, to_characters_each
from textpipe.core.byte_alphabet import BYTE_OF, to_bytes, to_characters
from textpipe.errors import InputError
from textpipe.limits import DEFAULT_LIMITS
from textpipe.models.base import Model, Token

__all__ = ["RankBPE"]


class RankBPE(Model):
    """Byte-pair encoding by ranks.

    Parameters
    ----------
    ranks : byte string → rank, which is its id; every single byte has one.
    special_tokens : piece → id of tokens that no word is ever made of; they are found in text once they are added.

    Raises
    ------
    InputError
        when a byte has no rank, or an id stands twice.
    LimitError
        when the pieces are so long that taking them apart would take minutes.

    Examples
    --------
    >>> ranks = {bytes([byte]): byte for byte in range(256)} | {b"ab": 256, b"abab": 257}
    >>> [token.value for token in RankBPE(ranks).tokenize("ababa")]
    ['abab', 'a']
    """

    def __init__(self, ranks: Mapping[bytes, int], special_tokens: Mapping[str, int] | None = None) -> None:
        numbers = list(ranks.values())
        in_order = numbers == sorted(numbers)  # as in a file, mostly: then the rows need no sorting
        self._ranks = dict(ranks if in_order else sorted(ranks.items(), key=lambda row: row[1]))
        self._special = dict(special_tokens or {})
        pieces = dict(zip(to_characters_each(list(self._ranks)), self._ranks.values(), strict=True))
        twice = next((piece for piece in self._special if piece in pieces), None)
        if twice is not None:
            raise InputError(f'the special token "{twice[:40]}" has a rank too')
        super().__init__(pieces | self._special)
        if len(self._piece_of) != len(self._vocab):
            twice = next(piece for piece, number in self._vocab.items() if self._piece_of[number] != piece)
            raise InputError(f'"{twice[:40]}" and "{self._piece_of[self._vocab[twice]][:40]}" have the same id')
        self._tables = NativeRankBpe(self._ranks, max_work=DEFAULT_LIMITS.rank_work)
        self._native: NativeModel = self._tables

    @property
    def ranks(self) -> dict[bytes, int]:
        """A copy of byte string → rank, in the order of ranks."""
        return dict(self._ranks)

    @property
    def special_tokens(self) -> dict[str, int]:
        """A copy of the pieces without a rank."""
        return dict(self._special)

    def splits(self) -> list[tuple[str, str]]:
        """Every cut of a piece into two pieces, in the order of ranks: the nearest that a list of merges can come."""
        ranks, piece_of = self._ranks, self._piece_of
        found = []
        for piece in ranks:
            cuts = ((ranks.get(piece[:cut]), ranks.get(piece[cut:])) for cut in range(1, len(piece)))
            pairs = sorted((left, right) for left, right in cuts if left is not None and right is not None)
            found += [(piece_of[left], piece_of[right]) for left, right in pairs]
        return found

    def _found_in_text(self, ids: frozenset[int]) -> frozenset[int]:
        return ids & frozenset(self._ranks.values())

    def _forget_tables(self) -> None:
        ranks = {piece: rank for piece, rank in self._ranks.items() if rank not in self._kept_out}
        missing = next((byte for byte in map(bytes, zip(range(256))) if byte not in ranks), None)
        if missing is not None:
            raise self._cannot_keep_out(to_characters(missing))
        strict = NativeRankBpe(ranks, max_work=DEFAULT_LIMITS.rank_work)
        self._native = NativeGuarded(self._tables, strict, self._kept_out)

    def native(self, *, byte_level: bool) -> NativeModel | None:
        """The native tables; there are none for words that are not of bytes."""
        return self._native if byte_level else None

    def tokenize(self, sequence: str) -> list[Token]:
        """The tokens of one word in the printable alphabet of bytes.

        Raises
        ------
        InputError
            when a character stands for no byte.
        """
        data = to_bytes(sequence)
        if data is None:
            wrong = next(character for character in sequence if character not in BYTE_OF)
            raise InputError(f'"{wrong}" stands for no byte', hint="put the pre-tokenizer ByteLevel before this model")
        tokens: list[Token] = []
        at = 0
        for number in self._native.tokenize_bytes(data):
            piece = self._piece_of[number]
            tokens.append(Token(number, piece, (at, at + len(piece.encode()))))
            at = tokens[-1].offsets[1]
        return tokens

    def to_dict(self) -> dict[str, Any]:
        """The object that stands for it in a tokenizer.json; a type of textpipe's own."""
        pieces = {to_characters(piece): rank for piece, rank in self._ranks.items()}
        return {"type": "RankBPE", "vocab": pieces, "special_tokens": self._special}

    def __repr__(self) -> str:
        return f"RankBPE({len(self._ranks)} ranks, {len(self._special)} special tokens)"

    def __reduce__(self) -> tuple[Any, ...]:
        return (RankBPE, (self._ranks, self._special))
