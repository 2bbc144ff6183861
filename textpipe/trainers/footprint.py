"""How much memory a training takes, before it is begun.

What enters: a trainer, and how many distinct words there are with how many bytes. What leaves: an estimate in bytes, by
figures that were measured. Promises: within a quarter of what a training of many words takes; tests hold it to that.
"""

from __future__ import annotations

from textpipe.trainers.settings import VocabularyTrainer
from textpipe.trainers.word_level import WordLevelTrainer

__all__ = ["training_bytes"]

_BYTES_PER_SYMBOL = 7.6  # a cell (2 bytes while ids fit), the place of its pair (4), and lists that grow
_BYTES_PER_WIDE_SYMBOL = 9.6
_BYTES_PER_SCORED_SYMBOL = 26.5  # of merges by likelihood: a cell (16 bytes) and places of each pair of now and before
_NARROW_IDS = 65_000
_BYTES_PER_WORD_IN_PYTHON = 160


def training_bytes(trainer: VocabularyTrainer, num_words: int, num_bytes: int) -> int:
    """About what the words take at the peak of a training, their counts included.

    Parameters
    ----------
    num_words, num_bytes : of distinct words, each once.

    Examples
    --------
    >>> from textpipe.trainers import BpeTrainer
    >>> round(training_bytes(BpeTrainer(vocab_size=32_000), 1_330_000, 19_600_000) / 1e6)
    159
    """
    if isinstance(trainer, WordLevelTrainer):
        return num_words * _BYTES_PER_WORD_IN_PYTHON + num_bytes
    per_symbol = _BYTES_PER_SYMBOL if trainer.vocab_size < _NARROW_IDS else _BYTES_PER_WIDE_SYMBOL
    if "likelihood" in (getattr(trainer, "compat", ""), getattr(trainer, "scoring", "")):
        per_symbol = _BYTES_PER_SCORED_SYMBOL
    return round((num_words + num_bytes) * per_symbol)
