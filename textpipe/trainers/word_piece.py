"""WordPiece vocabularies.

What enters: a :class:`WordPieceTrainer` and word counts. What leaves: piece → id. Promises: the pieces that byte-pair
merges make of symbols with a prefix inside words, as in `tokenizers` 0.23.3, whatever the threads and the order of the
words. Where that package gives its ids in the order of a hash, which changes from run to run and with it the merges,
symbols with a prefix or suffix get theirs here in the order of their strings.

``scoring="likelihood"`` joins pieces by count(ab) / (count(a) · count(b)) instead of count(ab), as
:mod:`textpipe.trainers.bpe` has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import ClassVar

from textpipe.core._word_counts import WordCounts
from textpipe.errors import ConfigError, WrongTypeError
from textpipe.trainers.bpe import BpeTrainer, train_bpe
from textpipe.trainers.counting import Progress
from textpipe.trainers.first_symbols import first_characters
from textpipe.trainers.settings import VocabularyTrainer
from textpipe.trainers.training_state import TrainingState

__all__ = ["WordPieceTrainer", "train_word_piece"]

_COMPAT_OF = {"frequency": "tokenizers", "likelihood": "likelihood"}


@dataclass(eq=False, kw_only=True, repr=False)
class WordPieceTrainer(VocabularyTrainer):
    """What WordPiece vocabulary to learn.

    Parameters
    ----------
    vocab_size : how many entries, special tokens and alphabet included.
    min_frequency : a pair that occurs less often is not merged.
    show_progress : report on a terminal's standard error while training.
    special_tokens : strings or added tokens, first in the vocabulary; kept as added tokens that are special.
    limit_alphabet : keep only that many of the most frequent characters.
    initial_alphabet : characters to have even where the text lacks them; of a longer string the first counts.
    continuing_subword_prefix : put before every piece that does not begin a word.
    end_of_word_suffix : put after every piece that ends one.
    scoring : which pair is merged next: the most frequent (``"frequency"``), or the one whose parts come together most
        for how often they come at all (``"likelihood"``; with it set ``min_frequency``, or rare characters go first).

    Examples
    --------
    >>> WordPieceTrainer(vocab_size=8000, special_tokens=["[UNK]"])
    WordPieceTrainer(vocab_size=8000, special_tokens=['[UNK]'])
    """

    limit_alphabet: int | None = None
    initial_alphabet: Sequence[str] = ()
    continuing_subword_prefix: str = "##"
    end_of_word_suffix: str | None = None
    scoring: str = "frequency"

    _optional_numbers: ClassVar[tuple[str, ...]] = ("limit_alphabet",)

    def __post_init__(self) -> None:
        object.__setattr__(self, "initial_alphabet", first_characters(self.initial_alphabet))
        if not isinstance(self.continuing_subword_prefix, str):
            raise WrongTypeError(
                f"continuing_subword_prefix cannot be {self.continuing_subword_prefix!r}", allowed="a string"
            )
        if self.scoring not in _COMPAT_OF:
            raise ConfigError(f"scoring cannot be {self.scoring!r}", allowed=" or ".join(_COMPAT_OF))
        super().__post_init__()

    def merging(self) -> BpeTrainer:
        """The byte-pair training that makes the pieces."""
        settings = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "scoring"}
        return BpeTrainer(**settings, compat=_COMPAT_OF[self.scoring])


def train_word_piece(
    counts: WordCounts,
    trainer: WordPieceTrainer,
    *,
    threads: int | None = None,
    progress: Progress | None = None,
    state: TrainingState | None = None,
) -> dict[str, int]:
    """Learn a WordPiece vocabulary from word counts.

    Parameters
    ----------
    threads, progress, state : as in :func:`~textpipe.trainers.train_bpe`.

    Examples
    --------
    >>> counts = WordCounts()
    >>> for word in ("먹다", "먹고", "걷다"):
    ...     counts.add(word.encode())
    >>> train_word_piece(counts, WordPieceTrainer(vocab_size=8))
    {'걷': 0, '고': 1, '다': 2, '먹': 3, '##고': 4, '##다': 5, '걷다': 6, '먹고': 7}
    """
    return train_bpe(counts, trainer.merging(), threads=threads, progress=progress, state=state).vocab
