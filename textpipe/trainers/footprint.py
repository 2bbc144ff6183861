"""How much memory a training takes, before it is begun.

What enters: a trainer, and how many distinct words there are with how many bytes and characters. What leaves: an
estimate in bytes, by figures that were measured. Promises: within a quarter of what a training of many words takes,
rather above it than below; tests hold it to that.
"""

from __future__ import annotations

from typing import NamedTuple

from textpipe.core._word_counts import WordCounts
from textpipe.trainers.settings import VocabularyTrainer
from textpipe.trainers.unigram import UnigramTrainer
from textpipe.trainers.word_level import WordLevelTrainer

__all__ = ["WordSizes", "training_bytes"]

_BYTES_PER_SYMBOL = 7.6  # a cell (2 bytes while ids fit), the place of its pair (4), and lists that grow
_BYTES_PER_WIDE_SYMBOL = 9.6
_BYTES_PER_SCORED_SYMBOL = 26.5  # of merges by likelihood: a cell (16 bytes) and places of each pair of now and before
_NARROW_IDS = 65_000
_BYTES_PER_WORD_IN_PYTHON = 400
_BYTES_PER_ENTRY = 400  # of what is learned, in Python
_BYTES_PER_UNIGRAM_PLACE = 59.0  # where strings begin that recur: sorted, and each such string kept until all are known
_UNIGRAM_ENDS_PER_WORD = 1.4  # characters that no such place is at: the last, and many a one before it
_UNIGRAM_BYTES = 7_000_000  # tables of the alphabet and of its scripts, and what each thread has


class WordSizes(NamedTuple):
    """Of distinct words, each once."""

    num_words: int
    num_bytes: int
    num_chars: int

    @classmethod
    def of(cls, counts: WordCounts) -> WordSizes:
        """The sizes of the words that were counted."""
        return cls(len(counts), counts.num_bytes, counts.num_chars)


def training_bytes(trainer: VocabularyTrainer, sizes: WordSizes) -> int:
    """About what the words take at the peak of a training, their counts included.

    Examples
    --------
    >>> from textpipe.trainers import BpeTrainer
    >>> sizes = WordSizes(num_words=1_330_000, num_bytes=19_600_000, num_chars=11_900_000)
    >>> round(training_bytes(BpeTrainer(vocab_size=32_000), sizes) / 1e6)
    172
    """
    if isinstance(trainer, WordLevelTrainer):
        return sizes.num_words * _BYTES_PER_WORD_IN_PYTHON + sizes.num_bytes
    if isinstance(trainer, UnigramTrainer):
        places = max(sizes.num_chars - _UNIGRAM_ENDS_PER_WORD * sizes.num_words, 0.0)
        return _UNIGRAM_BYTES + round(places * _BYTES_PER_UNIGRAM_PLACE)
    per_symbol = _BYTES_PER_SYMBOL if trainer.vocab_size < _NARROW_IDS else _BYTES_PER_WIDE_SYMBOL
    if "likelihood" in (getattr(trainer, "compat", ""), getattr(trainer, "scoring", "")):
        per_symbol = _BYTES_PER_SCORED_SYMBOL
    symbols = sizes.num_words + sizes.num_bytes
    return round(symbols * per_symbol) + min(trainer.vocab_size, symbols) * _BYTES_PER_ENTRY
