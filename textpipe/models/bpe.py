"""The byte-pair encoding model.

What enters: a vocabulary, piece → id, and the merges in the order they were learned. What leaves: the tokens of a
word. Promises: the tokens of `tokenizers`' BPE; the tables are native, built when first needed, and anew for another
setting that they hold; dropout and its seed are none of those.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from textpipe.core._bpe import MergeIds, NativeBpe
from textpipe.core._native import NativeGuarded, NativeModel
from textpipe.core._pairs import PairList
from textpipe.core.byte_alphabet import BYTE_PIECES, CHARACTER_OF
from textpipe.errors import InputError
from textpipe.models.base import Token
from textpipe.models.chance import ChanceModel
from textpipe.models.vocabulary_files import (
    MergesOrPath,
    VocabOrPath,
    merges_text,
    read_merges,
    read_vocab_json,
    vocab_json_text,
)

__all__ = ["BPE"]

_TABLE_SETTINGS = (
    "unk_token",
    "continuing_subword_prefix",
    "end_of_word_suffix",
    "fuse_unk",
    "byte_fallback",
    "ignore_merges",
)
_SETTINGS = ("dropout", *_TABLE_SETTINGS)  # in the order of tokenizer.json


class BPE(ChanceModel):
    """Byte-pair encoding.

    Parameters
    ----------
    vocab : piece → id, or the path of a vocab.json.
    merges : pairs of pieces; the first is merged first. Or the path of a merges.txt, where ``vocab`` is a path.
    cache_capacity : accepted for code written for `tokenizers`; the native cache is bounded in bytes instead.
    dropout : the chance that a merge is passed over, each time; None or 0 for never.
    unk_token : the piece for characters without one; without it they are dropped.
    continuing_subword_prefix, end_of_word_suffix : spellings of pieces inside and at the end of a word.
    fuse_unk : one unknown token for a run of unknown characters.
    byte_fallback : spell unknown characters as ``<0xEA>``, … where the vocabulary has all of the bytes.
    ignore_merges : a word that is a piece is that piece, whatever the merges say.
    seed : what ``dropout`` draws by, 0 to 2⁶⁴ - 1: with it a text's tokens are a pure function of the seed and the
        text, in any batch and order and with any number of threads; give another epoch another seed. None draws anew
        each time. `tokenizers` has none, and tokenizer.json does not hold it.

    Raises
    ------
    InputError
        when a merge names a piece the vocabulary lacks, or makes one it lacks; of a vocabulary and merges, when one is
        a path and the other is not.
    FormatError
        when a file is broken.
    """

    dropout: float | None
    unk_token: str | None
    continuing_subword_prefix: str | None
    end_of_word_suffix: str | None
    byte_fallback: bool
    ignore_merges: bool

    def __init__(  # noqa: PLR0917  (the order of `tokenizers`)
        self,
        vocab: VocabOrPath | None = None,
        merges: MergesOrPath | None = None,
        cache_capacity: int | None = None,
        dropout: float | None = None,
        unk_token: str | None = None,
        continuing_subword_prefix: str | None = None,
        end_of_word_suffix: str | None = None,
        fuse_unk: bool | None = None,
        byte_fallback: bool = False,
        ignore_merges: bool = False,
        *,
        seed: int | None = None,
    ) -> None:
        if isinstance(vocab, str | os.PathLike) and isinstance(merges, str | os.PathLike):
            vocab, merges = self.read_file(vocab, merges)
        elif isinstance(vocab, str | os.PathLike) or isinstance(merges, str | os.PathLike):
            raise InputError("of vocab and merges one is a path", allowed="two paths, or neither")
        super().__init__(vocab)
        self.dropout = dropout
        self.unk_token = unk_token
        self.continuing_subword_prefix = continuing_subword_prefix
        self.end_of_word_suffix = end_of_word_suffix
        self.fuse_unk = bool(fuse_unk)
        self.byte_fallback = byte_fallback
        self.ignore_merges = ignore_merges
        self.seed = seed
        self._check()
        pairs = merges if isinstance(merges, PairList) else PairList(merges or ())
        self._merges = MergeIds(self._vocab, pairs, cut=len(self.continuing_subword_prefix or ""))
        self._native: dict[bool, tuple[NativeBpe, ...]] = {}
        self._native_settings = self._values_of(_TABLE_SETTINGS)

    def _check(self) -> None:
        self._check_seed()
        if self.dropout is not None and not 0.0 <= self.dropout <= 1.0:
            raise InputError(f"dropout is {self.dropout}", allowed="0 to 1")

    def settings_changed(self) -> None:
        """Check the settings and forget the native tables of others."""
        self._check()
        settings = self._values_of(_TABLE_SETTINGS)
        if settings != self._native_settings:
            self._native, self._native_settings = {}, settings

    def _values_of(self, names: Iterable[str]) -> dict[str, Any]:
        return {name: getattr(self, name) for name in names}

    def native(self, *, byte_level: bool) -> NativeModel | None:
        """The native tables, for words of bytes or of characters.

        None where a word may need an ``unk_token`` that the vocabulary lacks: only :meth:`tokenize` says so.
        """
        if self._lacks_unknown and not (byte_level and self.has_all_bytes):
            return None
        return self._drawing(byte_level=byte_level)

    def _drawing(self, *, byte_level: bool) -> NativeModel:
        """The tables, with the dropout if there is one."""
        if byte_level not in self._native:
            self._native[byte_level] = self._tables(byte_level)
        tables, *strict = [each.dropping(self.dropout) if self.dropout else each for each in self._native[byte_level]]
        return NativeGuarded(tables, strict[0], self._kept_out) if strict else tables

    def _tables(self, byte_level: bool) -> tuple[NativeBpe, ...]:
        """The tables, and with pieces that are kept out a second time without these, both for words alike."""
        tables = NativeBpe(self._vocab, self._merges, byte_level=byte_level, **self._native_settings)
        if not self._kept_out:
            return (tables,)
        # The unknown piece stays: it is found by its name.
        unknown = frozenset(number for piece, number in self._vocab.items() if piece == self.unk_token)
        vocab = {piece: n for piece, n in self._vocab.items() if n not in self._kept_out or n in unknown}
        merges = self._merges.without(self._kept_out, self._kept_out - unknown)
        strict = NativeBpe(vocab, merges, byte_level=byte_level, **self._native_settings)
        if strict.complete != tables.complete:
            tables = NativeBpe(self._vocab, self._merges, byte_level=False, **self._native_settings)
        return tables, strict

    def _found_in_text(self, ids: frozenset[int]) -> frozenset[int]:
        """Those that spell a character or are made by merges; where a word may be a piece, all."""
        pieces = [(piece, number) for piece, number in self._vocab.items() if number in ids]
        alone = {number: piece for piece, number in pieces if self._stands_alone(piece)}
        if alone and (self.unk_token is None or self._lacks_unknown):
            raise self._cannot_keep_out(next(iter(alone.values())))
        return ids if self.ignore_merges else frozenset(alone) | self._merges.made(ids)

    def _stands_alone(self, piece: str) -> bool:
        """Whether merging may begin with it: a character with its affixes, or a byte of one that has no piece."""
        inside, end = self.continuing_subword_prefix or "", self.end_of_word_suffix or ""
        shorter = piece.removeprefix(inside)
        spellings = (piece, shorter, piece.removesuffix(end), shorter.removesuffix(end))
        return 1 in map(len, spellings) or (self.byte_fallback and piece in BYTE_PIECES)

    def _forget_tables(self) -> None:
        self._native = {}

    @property
    def draws(self) -> bool:
        """With dropout."""
        return bool(self.dropout)

    def unwritten(self) -> dict[str, Any]:
        """The seed."""
        return {"seed": self.seed}

    @property
    def _lacks_unknown(self) -> bool:
        return self.unk_token is not None and self.unk_token not in self._vocab

    @property
    def has_all_bytes(self) -> bool:
        """Whether every byte is a piece, so that no word of bytes is unknown."""
        if self.continuing_subword_prefix or self.end_of_word_suffix:
            return False
        return all(character in self._vocab for character in CHARACTER_OF)

    def sample(self, sequence: str, seed: int) -> list[Token]:
        """The tokens of one word; where there is a ``dropout``, ``seed`` decides which merges are passed over.

        Raises
        ------
        InputError
            when it has a character without a piece and the vocabulary lacks ``unk_token``.

        Examples
        --------
        >>> BPE({"가": 0, "나": 1, "가나": 2}, [("가", "나")]).sample("가나가", seed=7)
        [Token(id=2, value='가나', offsets=(0, 6)), Token(id=0, value='가', offsets=(6, 9))]
        """
        tokens: list[Token] = []
        at = 0
        for number, size in self._drawing(byte_level=False).tokenize(sequence, seed):
            tokens.append(Token(number, self._piece_of[number], (at, at + size)))
            at += size
        if self._lacks_unknown and at < len(sequence.encode()):
            raise InputError(
                f'no pieces spell all of "{sequence[:40]}", and the vocabulary lacks the unk_token "{self.unk_token}"',
                hint="add unk_token to the vocabulary, or set model.unk_token to None to drop such characters",
            )
        return tokens

    def learned(
        self, vocab: Mapping[str, int], merges: Iterable[tuple[str, str]], prefix: str | None, suffix: str | None
    ) -> BPE:
        """A model of newly learned pieces with the settings of this one, but for the spellings of the trainer."""
        spellings = {"continuing_subword_prefix": prefix, "end_of_word_suffix": suffix}
        return BPE(vocab, merges, **{**self._values_of(_SETTINGS), **spellings}, seed=self.seed)

    @property
    def merges(self) -> list[tuple[str, str]]:
        """A copy of the merges."""
        return self._merges.pairs(self._piece_of)

    @classmethod
    def from_file(cls, vocab: str | os.PathLike[str], merges: str | os.PathLike[str], **options: Any) -> BPE:
        """Read vocab.json and merges.txt."""
        return cls(*cls.read_file(vocab, merges), **options)

    @staticmethod
    def read_file(
        vocab: str | os.PathLike[str], merges: str | os.PathLike[str]
    ) -> tuple[dict[str, int], list[tuple[str, str]]]:
        """The vocabulary and the merges in vocab.json and merges.txt."""
        return read_vocab_json(vocab), read_merges(merges)

    def save(self, folder: str, prefix: str | None = None) -> list[str]:
        """Write vocab.json and merges.txt; returns their paths."""
        from textpipe.files import write_text

        start = f"{prefix}-" if prefix else ""
        vocab, merges = os.path.join(folder, f"{start}vocab.json"), os.path.join(folder, f"{start}merges.txt")
        texts = vocab_json_text(self._by_id()), merges_text(self.merges)  # both before either is written
        write_text(vocab, texts[0])
        write_text(merges, texts[1])
        return [vocab, merges]

    def to_dict(self) -> dict[str, Any]:
        """The object that stands for it in tokenizer.json: pieces by id, merges by rank."""
        return {
            "type": "BPE",
            **self._values_of(_SETTINGS),
            "vocab": self._by_id(),
            "merges": [[left, right] for left, right in self.merges],
        }

    def __reduce__(self) -> tuple[Any, ...]:
        return (partial(BPE, **self._values_of(_SETTINGS), seed=self.seed), (self._vocab, self.merges))
