"""The WordPiece model.

What enters: a vocabulary, piece → id, where pieces inside a word begin with a prefix. What leaves: the pieces of a
word, the longest first from the left; the unknown piece for a word that cannot be spelled so.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from textpipe.errors import InputError
from textpipe.models.base import Model, Token
from textpipe.models.vocabulary_files import read_vocab_txt, vocab_txt_text

__all__ = ["WordPiece"]


class WordPiece(Model):
    """Longest piece first.

    Parameters
    ----------
    vocab : piece → id.
    unk_token : the piece for words that cannot be spelled.
    max_input_chars_per_word : a longer word is unknown.
    continuing_subword_prefix : what pieces begin with that stand inside a word.

    Examples
    --------
    >>> WordPiece({"[UNK]": 0, "한국": 1, "##어": 2}).tokenize("한국어")
    [Token(id=1, value='한국', offsets=(0, 6)), Token(id=2, value='##어', offsets=(6, 9))]
    """

    def __init__(
        self,
        vocab: Mapping[str, int] | None = None,
        unk_token: str | None = None,
        max_input_chars_per_word: int | None = None,
        continuing_subword_prefix: str | None = None,
    ) -> None:
        super().__init__(vocab)
        self.unk_token = "[UNK]" if unk_token is None else unk_token
        self.max_input_chars_per_word = 100 if max_input_chars_per_word is None else max_input_chars_per_word
        self.continuing_subword_prefix = "##" if continuing_subword_prefix is None else continuing_subword_prefix
        if self.max_input_chars_per_word < 0:
            raise InputError(f"max_input_chars_per_word is {max_input_chars_per_word}", allowed="0 or more")
        # No candidate is longer than the longest piece: so a long word takes linear time, whatever the setting.
        self._longest = max(map(len, self._vocab), default=0)

    def tokenize(self, sequence: str) -> list[Token]:
        """The tokens of one word.

        Raises
        ------
        InputError
            when the word cannot be spelled and the vocabulary lacks ``unk_token``.
        """
        tokens: list[Token] = []
        begin = at = 0  # in characters, in bytes
        while begin < len(sequence):
            token = None if len(sequence) > self.max_input_chars_per_word else self._longest_at(sequence, begin, at)
            if token is None:
                return [self._unknown(sequence)]
            at = token.offsets[1]
            begin += len(token.value) - (len(self.continuing_subword_prefix) if begin else 0)
            tokens.append(token)
        return tokens

    def _longest_at(self, word: str, begin: int, at: int) -> Token | None:
        prefix = self.continuing_subword_prefix if begin else ""
        for end in range(min(len(word), begin + self._longest - len(prefix)), begin, -1):
            piece = prefix + word[begin:end]
            number = self._vocab.get(piece)
            if number is not None:
                return Token(number, piece, (at, at + len(word[begin:end].encode())))
        return None

    def _unknown(self, word: str) -> Token:
        number = self._vocab.get(self.unk_token)
        if number is None:
            raise InputError(
                f'no pieces spell "{word[:40]}", and the vocabulary lacks the unk_token "{self.unk_token}"',
                hint="add unk_token to the vocabulary",
            )
        return Token(number, self.unk_token, (0, len(word.encode())))

    @classmethod
    def from_file(cls, vocab: str, **options: Any) -> WordPiece:
        """Read vocab.txt."""
        return cls(cls.read_file(vocab), **options)

    @staticmethod
    def read_file(vocab: str) -> dict[str, int]:
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
