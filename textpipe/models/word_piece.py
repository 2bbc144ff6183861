"""The WordPiece model.

What enters: a vocabulary, piece → id, where pieces inside a word begin with a prefix. What leaves: the pieces of a
word, the longest first from the left; the unknown piece for a word that cannot be spelled so.
"""

from __future__ import annotations

import os
from typing import Any

from textpipe.core._word_piece import NO_ID, NativeWordPiece
from textpipe.errors import InputError
from textpipe.limits import DEFAULT_LIMITS
from textpipe.models.base import Model, Token
from textpipe.models.vocabulary_files import VocabOrPath, read_vocab_txt, vocab_txt_text

__all__ = ["WordPiece"]


class WordPiece(Model):
    """Longest piece first.

    Parameters
    ----------
    vocab : piece → id, or the path of a vocab.txt.
    unk_token : the piece for words that cannot be spelled.
    max_input_chars_per_word : a longer word is unknown.
    continuing_subword_prefix : what pieces begin with that stand inside a word.

    Examples
    --------
    >>> WordPiece({"[UNK]": 0, "한국": 1, "##어": 2}).tokenize("한국어")
    [Token(id=1, value='한국', offsets=(0, 6)), Token(id=2, value='##어', offsets=(6, 9))]
    """

    unk_token: str
    max_input_chars_per_word: int
    continuing_subword_prefix: str

    def __init__(
        self,
        vocab: VocabOrPath | None = None,
        unk_token: str | None = None,
        max_input_chars_per_word: int | None = None,
        continuing_subword_prefix: str | None = None,
    ) -> None:
        super().__init__(read_vocab_txt(vocab) if isinstance(vocab, str | os.PathLike) else vocab)
        self.unk_token = "[UNK]" if unk_token is None else unk_token
        self.max_input_chars_per_word = 100 if max_input_chars_per_word is None else max_input_chars_per_word
        self.continuing_subword_prefix = "##" if continuing_subword_prefix is None else continuing_subword_prefix
        self.settings_changed()

    def settings_changed(self) -> None:
        """Check the settings and forget the native tables."""
        if self.max_input_chars_per_word < 0:
            raise InputError(f"max_input_chars_per_word is {self.max_input_chars_per_word}", allowed="0 or more")
        self._native: NativeWordPiece | None = None

    def native(self, *, byte_level: bool) -> NativeWordPiece | None:
        """The native tables; None without an unknown piece, where only :meth:`tokenize` says what is missing."""
        return self._tables() if self.unk_token in self._vocab else None

    def _tables(self) -> NativeWordPiece:
        if self._native is None:
            self._native = NativeWordPiece(
                self._pieces_in_text(),
                prefix=self.continuing_subword_prefix,
                unknown=self._vocab.get(self.unk_token, NO_ID),
                most_chars=min(self.max_input_chars_per_word, DEFAULT_LIMITS.text_bytes),
            )
        return self._native

    def _forget_tables(self) -> None:
        self._native = None

    def tokenize(self, sequence: str) -> list[Token]:
        """The tokens of one word.

        Raises
        ------
        InputError
            when the word cannot be spelled and the vocabulary lacks ``unk_token``.
        """
        tokens: list[Token] = []
        at = 0
        for number, size in self._tables().tokenize(sequence):
            if number == NO_ID:
                raise InputError(
                    f'no pieces spell "{sequence[:40]}", and the vocabulary lacks the unk_token "{self.unk_token}"',
                    hint="add unk_token to the vocabulary",
                )
            tokens.append(Token(number, self._piece_of[number], (at, at + size)))
            at += size
        return tokens

    @classmethod
    def from_file(cls, vocab: str | os.PathLike[str], **options: Any) -> WordPiece:
        """Read vocab.txt."""
        return cls(cls.read_file(vocab), **options)

    @staticmethod
    def read_file(vocab: str | os.PathLike[str]) -> dict[str, int]:
        """The vocabulary in vocab.txt: a piece a line, its id the number of the line from 0.

        Raises
        ------
        FormatError
            when the file is not UTF-8, or a piece stands in it twice.
        """
        return read_vocab_txt(vocab)

    def save(self, folder: str, prefix: str | None = None) -> list[str]:
        """Write vocab.txt; returns its path, alone in a list."""
        from textpipe.files import write_text

        path = os.path.join(folder, f"{prefix}-vocab.txt" if prefix else "vocab.txt")
        write_text(path, vocab_txt_text(self._by_id()))
        return [path]

    def to_dict(self) -> dict[str, Any]:
        """Type, arguments, pieces by id."""
        return {
            "type": "WordPiece",
            "unk_token": self.unk_token,
            "continuing_subword_prefix": self.continuing_subword_prefix,
            "max_input_chars_per_word": self.max_input_chars_per_word,
            "vocab": self._by_id(),
        }

    def __reduce__(self) -> tuple[Any, ...]:
        options = (self.unk_token, self.max_input_chars_per_word, self.continuing_subword_prefix)
        return (WordPiece, (self._vocab, *options))
