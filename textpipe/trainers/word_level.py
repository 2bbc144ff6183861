"""Vocabularies of whole words.

What enters: a :class:`WordLevelTrainer` and word counts. What leaves: word → id. Promises: what `tokenizers` 0.23.3
learns from the same words: the special tokens, then the most frequent words; words that occur equally often go by code
point, the lowest first.

A special token that is also a word of the text, or is given twice, takes a place each time and has the last of them as
its id, as there; the ids of the others are then no id of any word.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, islice, takewhile

from textpipe.core._word_counts import WordCounts
from textpipe.core.byte_alphabet import to_characters
from textpipe.trainers.settings import VocabularyTrainer

__all__ = ["WordLevelTrainer", "train_word_level"]


@dataclass(eq=False, kw_only=True, repr=False)
class WordLevelTrainer(VocabularyTrainer):
    """What vocabulary of words to learn.

    Parameters
    ----------
    vocab_size : how many entries, special tokens included.
    min_frequency : a word that occurs less often is left out.
    show_progress : accepted for code written for `tokenizers`; there is nothing long to report.
    special_tokens : strings or added tokens, first in the vocabulary; kept as added tokens that are special.

    Examples
    --------
    >>> WordLevelTrainer(vocab_size=8000, special_tokens=["<unk>"])
    WordLevelTrainer(vocab_size=8000, special_tokens=['<unk>'])
    """


def train_word_level(counts: WordCounts, trainer: WordLevelTrainer) -> dict[str, int]:
    """Learn a vocabulary of words from word counts.

    Examples
    --------
    >>> counts = WordCounts()
    >>> for word, count in (("물", 2), ("밥", 2), ("빵", 3), ("떡", 1)):
    ...     counts.add(word.encode(), count)
    >>> train_word_level(counts, WordLevelTrainer(vocab_size=4, special_tokens=["<unk>"]))
    {'<unk>': 0, '빵': 1, '물': 2, '밥': 3}

    Notes
    -----
    Time O(distinct words · log) to order them.
    """
    rows = counts.items()
    if counts.byte_level:
        words = [(to_characters(word), count) for word, count in rows]
        words.sort(key=lambda row: (-row[1], row[0]))  # the alphabet does not keep the order of the bytes
    else:
        words = [(word.decode(), count) for word, count in rows]  # the order of UTF-8 is that of the code points
    frequent = (word for word, _ in takewhile(lambda row: row[1] >= trainer.min_frequency, words))
    special = (str(token) for token in trainer.special_tokens)
    entries = islice(chain(special, frequent), trainer.vocab_size)
    return {word: number for number, word in enumerate(entries)}
