"""What encoding a text gives.

What enters: the ids of the tokens and what is known of each. What leaves: one value with parallel lists, and look-ups
between characters, words and tokens. Promises: the same fields and answers as `tokenizers`' Encoding.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

__all__ = ["Encoding"]


@dataclass(frozen=True, slots=True, repr=False)
class Encoding:
    """The tokens of a text, or of several put together.

    ``offsets`` are characters ``[begin, end)`` of the text the token came from; ``word_ids`` number the pre-tokens and
    are None for tokens a template added. ``sequence_ranges`` tells which tokens came from which text.
    """

    ids: list[int] = field(default_factory=list)
    type_ids: list[int] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    word_ids: list[int | None] = field(default_factory=list)
    offsets: list[tuple[int, int]] = field(default_factory=list)
    special_tokens_mask: list[int] = field(default_factory=list)
    attention_mask: list[int] = field(default_factory=list)
    overflowing: list[Encoding] = field(default_factory=list)
    sequence_ranges: dict[int, range] = field(default_factory=dict)

    @classmethod
    def of_tokens(
        cls,
        ids: list[int],
        tokens: list[str],
        offsets: list[tuple[int, int]],
        word_ids: Sequence[int | None],
        *,
        type_id: int = 0,
        special: bool = False,
    ) -> Encoding:
        """An encoding of one text, or of tokens that a template adds."""
        count = len(ids)
        return cls(ids, [type_id] * count, tokens, list(word_ids), offsets, [int(special)] * count, [1] * count)

    @classmethod
    def merge(cls, encodings: Iterable[Encoding], growing_offsets: bool = True) -> Encoding:
        """All of them as one; with ``growing_offsets`` each text's places go on where the last one's ended."""
        merged = cls()
        for encoding in encodings:
            shift = merged.offsets[-1][1] if growing_offsets and merged.offsets else 0
            start = len(merged.ids)
            merged.ids.extend(encoding.ids)
            merged.type_ids.extend(encoding.type_ids)
            merged.tokens.extend(encoding.tokens)
            merged.word_ids.extend(encoding.word_ids)
            merged.offsets.extend([(begin + shift, end + shift) for begin, end in encoding.offsets])
            merged.special_tokens_mask.extend(encoding.special_tokens_mask)
            merged.attention_mask.extend(encoding.attention_mask)
            for sequence, tokens in encoding.sequence_ranges.items():
                merged.sequence_ranges[sequence] = range(tokens.start + start, tokens.stop + start)
        return merged

    def with_type_id(self, type_id: int) -> Encoding:
        """A copy whose tokens all have this type."""
        return replace(self, type_ids=[type_id] * len(self.ids))

    def with_sequence_id(self, sequence: int) -> Encoding:
        """A copy that says its tokens come from text number ``sequence``."""
        return replace(self, sequence_ranges={sequence: range(len(self.ids))})

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return (
            f"Encoding(num_tokens={len(self.ids)}, attributes=[ids, type_ids, tokens, offsets, attention_mask, "
            "special_tokens_mask, overflowing])"
        )

    @property
    def words(self) -> list[int | None]:
        """Another name of ``word_ids``."""
        return self.word_ids

    @property
    def n_sequences(self) -> int:
        """How many texts were put together."""
        return len(self.sequence_ranges) or 1

    @property
    def sequence_ids(self) -> list[int | None]:
        """The text each token comes from, None for tokens a template added."""
        found: list[int | None] = [None] * len(self.ids)
        for sequence, tokens in self._ranges().items():
            found[tokens.start : tokens.stop] = [sequence] * len(tokens)
        return found

    def _ranges(self) -> dict[int, range]:
        return self.sequence_ranges or {0: range(len(self.ids))}

    def _range(self, sequence: int) -> range:
        return self._ranges().get(sequence, range(0))

    def token_to_sequence(self, token_index: int) -> int | None:
        """The text a token comes from."""
        return next((sequence for sequence, tokens in self._ranges().items() if token_index in tokens), None)

    def token_to_chars(self, token_index: int) -> tuple[int, int] | None:
        """The place of a token in its text."""
        return None if self.token_to_sequence(token_index) is None else self.offsets[token_index]

    def token_to_word(self, token_index: int) -> int | None:
        """The word of a token."""
        return None if self.token_to_sequence(token_index) is None else self.word_ids[token_index]

    def word_to_tokens(self, word_index: int, sequence_index: int = 0) -> tuple[int, int] | None:
        """The tokens ``[first, last + 1)`` of a word."""
        found = [token for token in self._range(sequence_index) if self.word_ids[token] == word_index]
        return (found[0], found[-1] + 1) if found else None

    def word_to_chars(self, word_index: int, sequence_index: int = 0) -> tuple[int, int] | None:
        """The place of a word in its text."""
        tokens = self.word_to_tokens(word_index, sequence_index)
        return None if tokens is None else (self.offsets[tokens[0]][0], self.offsets[tokens[1] - 1][1])

    def char_to_token(self, char_pos: int, sequence_index: int = 0) -> int | None:
        """The token a character belongs to."""
        for token in self._range(sequence_index):
            begin, end = self.offsets[token]
            if begin <= char_pos < end:
                return token
        return None

    def char_to_word(self, char_pos: int, sequence_index: int = 0) -> int | None:
        """The word a character belongs to."""
        token = self.char_to_token(char_pos, sequence_index)
        return None if token is None else self.word_ids[token]
