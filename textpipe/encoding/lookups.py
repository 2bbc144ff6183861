"""From characters to tokens to words, and back.

What enters: the columns of an encoding's tokens, and which of the tokens are of which text. What leaves: the place, the
word, the token or the text that belongs to another of them. Promises: the answers of `tokenizers`; None where there is
none.
"""

from __future__ import annotations

from textpipe.encoding.columns import Columns
from textpipe.encoding.parting import check_count

__all__ = ["Lookups"]


class Lookups:
    """The look-ups of an encoding."""

    __slots__ = ("_columns", "_ranges")

    _columns: Columns
    _ranges: dict[int, range]

    def __len__(self) -> int:
        return self._columns.num_tokens

    @property
    def n_sequences(self) -> int:
        """How many texts were put together."""
        return len(self._ranges) or 1

    @property
    def sequence_ids(self) -> list[int | None]:
        """The text each token comes from, None for tokens that a template or padding added."""
        found: list[int | None] = [None] * len(self)
        for sequence in range(self.n_sequences):
            tokens = self._range(sequence)
            found[tokens.start : tokens.stop] = [sequence] * len(tokens)
        return found

    def _range(self, sequence: int) -> range:
        check_count("sequence_index", sequence)
        return self._ranges.get(sequence, range(len(self)))

    def token_to_sequence(self, token_index: int) -> int | None:
        """The text a token comes from."""
        if not self._ranges:
            return 0 if 0 <= token_index <= len(self) else None
        return next((sequence for sequence, tokens in self._ranges.items() if token_index in tokens), None)

    def _is_of_text(self, token_index: int) -> bool:
        return token_index < len(self) and self.token_to_sequence(token_index) is not None

    def token_to_chars(self, token_index: int) -> tuple[int, int] | None:
        """The place of a token in its text."""
        return self._columns.values("offsets")[token_index] if self._is_of_text(token_index) else None

    def token_to_word(self, token_index: int) -> int | None:
        """The word of a token."""
        return self._columns.values("word_ids")[token_index] if self._is_of_text(token_index) else None

    def word_to_tokens(self, word_index: int, sequence_index: int = 0) -> tuple[int, int] | None:
        """The tokens ``[first, last + 1)`` of a word."""
        words = self._columns.values("word_ids")
        first = last = None
        for token in self._range(sequence_index):
            word = words[token]
            if word == word_index:
                first = token if first is None else first
                last = token
            elif word is not None and word > word_index:
                break
        return None if first is None or last is None else (first, last + 1)

    def word_to_chars(self, word_index: int, sequence_index: int = 0) -> tuple[int, int] | None:
        """The place of a word in its text."""
        tokens = self.word_to_tokens(word_index, sequence_index)
        offsets = self._columns.values("offsets")
        return None if tokens is None else (offsets[tokens[0]][0], offsets[tokens[1] - 1][1])

    def char_to_token(self, char_pos: int, sequence_index: int = 0) -> int | None:
        """The token a character belongs to."""
        offsets = self._columns.values("offsets")
        for token in self._range(sequence_index):
            begin, end = offsets[token]
            if begin <= char_pos < end:
                return token
        return None

    def char_to_word(self, char_pos: int, sequence_index: int = 0) -> int | None:
        """The word a character belongs to."""
        token = self.char_to_token(char_pos, sequence_index)
        return None if token is None else self.token_to_word(token)
