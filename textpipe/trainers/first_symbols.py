"""The vocabulary before anything is merged, and the symbols that words begin as.

What enters: word counts and a trainer that has an alphabet. What leaves: the first strings of the vocabulary, and the
ids of each character by where in a word it stands. Promises: special tokens first, then the alphabet by code point,
then what a prefix or suffix makes of it, in the order of the strings; nothing depends on the order of the words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from textpipe.core._bpe_trainer import NO_ID, survey
from textpipe.core._word_counts import WordCounts
from textpipe.core.byte_alphabet import CHARACTER_OF
from textpipe.errors import WrongTypeError
from textpipe.trainers.counting import require_countable

__all__ = ["FirstSymbols", "first_characters"]

_NOT_FIRST, _LAST = 1, 2  # the places of a symbol in its word, as the engine numbers them


class HasAlphabet(Protocol):
    """The settings of a trainer that say what it begins with."""

    initial_alphabet: Sequence[str]
    limit_alphabet: int | None
    continuing_subword_prefix: str | None
    end_of_word_suffix: str | None

    @property
    def special_texts(self) -> list[str]:
        """The texts of the special tokens."""
        ...


def first_characters(texts: Iterable[str]) -> list[str]:
    """The first character of each text, each once, by code point.

    Raises
    ------
    ConfigError
        when one of them is no string.
    """
    listed = list(texts)
    for number, text in enumerate(listed):
        if not isinstance(text, str):
            raise WrongTypeError(f"initial_alphabet[{number}] is {text!r:.40}", allowed="a string")
    return sorted({text[0] for text in listed if text})


class FirstSymbols:
    """The vocabulary before the first merge, and which of its ids each character has at each place of a word.

    Parameters
    ----------
    counts : words that are learned from, of one text or of several.
    others : words that are not, and whose characters count for the alphabet all the same.

    Raises
    ------
    LimitError
        when there are so many that their symbols cannot be counted.
    """

    def __init__(
        self, counts: WordCounts | Sequence[WordCounts], trainer: HasAlphabet, others: Sequence[WordCounts] = ()
    ) -> None:
        learned = [counts] if isinstance(counts, WordCounts) else list(counts)
        require_countable(*learned)
        require_countable(*others)
        byte_level = learned[0].byte_level
        seen_at: dict[str, int] = {}  # of each character: bit k set where it was learned from at place k
        occurrences: dict[str, int] = {}
        code_of: dict[str, int] = {}
        for number, text in enumerate((*learned, *others)):
            for code, places, count in survey(text):
                character = CHARACTER_OF[code] if byte_level else chr(code)
                code_of[character] = code
                occurrences[character] = occurrences.get(character, 0) + count
                # Words that are not learned from make no symbols with a prefix or suffix.
                seen_at[character] = seen_at.get(character, 0) | (places if number < len(learned) else 0)
        self.vocab: dict[str, int] = {}
        self._add(trainer.special_texts)
        self._add(_alphabet(occurrences, trainer))
        kept = sorted((c for c in occurrences if c in self.vocab), key=code_of.__getitem__)
        self._add(sorted({_decorated(c, k, trainer) for c in kept for k in range(4) if seen_at[c] >> k & 1}))
        self.characters = [code_of[c] for c in kept]
        self.ids = [self.vocab.get(_decorated(c, k, trainer), NO_ID) for c in kept for k in range(4)]
        # A whole word is spelled with its suffix and no prefix: a merge cuts the one that its right part was given.
        self.full_words_differ = len(kept) == len(occurrences)

    def _add(self, texts: Iterable[str]) -> None:
        for text in texts:
            self.vocab.setdefault(text, len(self.vocab))


def _alphabet(counts: dict[str, int], trainer: HasAlphabet) -> list[str]:
    """The characters to begin with, by code point."""
    wanted = set(trainer.initial_alphabet)
    characters = sorted(wanted | set(counts))
    if trainer.limit_alphabet is not None:
        characters.sort(key=lambda c: (c not in wanted, -counts.get(c, 0), c))
        characters = sorted(characters[: trainer.limit_alphabet])
    return characters


def _decorated(text: str, place: int, trainer: HasAlphabet) -> str:
    prefix = trainer.continuing_subword_prefix if place & _NOT_FIRST else None
    suffix = trainer.end_of_word_suffix if place & _LAST else None
    return f"{prefix or ''}{text}{suffix or ''}"
