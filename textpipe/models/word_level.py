"""The model of whole words.

What enters: a vocabulary of words, word → id. What leaves: one token a word, the unknown one for a word that is not
in it.
"""

from __future__ import annotations

import os
from typing import Any

from textpipe.core._word_piece import NativeWordLevel
from textpipe.errors import InputError
from textpipe.models.base import Model, Token
from textpipe.models.vocabulary_files import VocabOrPath, read_vocab_json, vocab_json_text

__all__ = ["WordLevel"]


class WordLevel(Model):
    """Each word is a piece.

    Parameters
    ----------
    vocab : word → id, or the path of a vocab.json.
    unk_token : the piece for words without one.

    Examples
    --------
    >>> WordLevel({"<unk>": 0, "한국어": 1}).tokenize("한국어")
    [Token(id=1, value='한국어', offsets=(0, 9))]
    """

    unk_token: str

    def __init__(self, vocab: VocabOrPath | None = None, unk_token: str | None = None) -> None:
        super().__init__(read_vocab_json(vocab) if isinstance(vocab, str | os.PathLike) else vocab)
        self.unk_token = "<unk>" if unk_token is None else unk_token
        self.settings_changed()

    def settings_changed(self) -> None:
        """Forget the native tables."""
        self._native: NativeWordLevel | None = None

    def native(self, *, byte_level: bool) -> NativeWordLevel | None:
        """The native tables; None without an unknown piece, where only :meth:`tokenize` says what is missing."""
        unknown = self._vocab.get(self.unk_token)
        if self._native is None and unknown is not None:
            self._native = NativeWordLevel(self._pieces_in_text(), unknown=unknown)
        return self._native

    def _forget_tables(self) -> None:
        self._native = None

    def tokenize(self, sequence: str) -> list[Token]:
        """The token of one word.

        Raises
        ------
        InputError
            when the vocabulary has neither the word nor ``unk_token``.
        """
        piece, number = sequence, self._vocab.get(sequence)
        if number is None or number in self._kept_out:
            piece, number = self.unk_token, self._vocab.get(self.unk_token)
        if number is None:
            raise InputError(
                f'no piece spells "{sequence[:40]}", and the vocabulary lacks the unk_token "{self.unk_token}"',
                hint="add unk_token to the vocabulary",
            )
        return [Token(number, piece, (0, len(sequence.encode())))]

    @classmethod
    def from_file(cls, vocab: str | os.PathLike[str], unk_token: str | None = None) -> WordLevel:
        """Read vocab.json."""
        return cls(cls.read_file(vocab), unk_token)

    @staticmethod
    def read_file(vocab: str | os.PathLike[str]) -> dict[str, int]:
        """The vocabulary in vocab.json."""
        return read_vocab_json(vocab)

    def save(self, folder: str, prefix: str | None = None) -> list[str]:
        """Write vocab.json; returns its path, alone in a list."""
        from textpipe.files import write_text

        path = os.path.join(folder, f"{prefix}-vocab.json" if prefix else "vocab.json")
        write_text(path, vocab_json_text(self._by_id()))
        return [path]

    def to_dict(self) -> dict[str, Any]:
        """Type, words by id, the unknown word."""
        return {"type": "WordLevel", "vocab": self._by_id(), "unk_token": self.unk_token}

    def __reduce__(self) -> tuple[Any, ...]:
        return (WordLevel, (self._vocab, self.unk_token))
