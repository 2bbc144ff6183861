"""Unigram vocabularies: what to learn, and learning it from sentences or from word counts.

What enters: a :class:`UnigramTrainer` (plain settings), and ``Sentences`` or word counts. What leaves: a
:class:`TrainedUnigram` with pieces and their scores in the order of their ids. Promises: from sentences, with
``compat="sentencepiece"``, the pieces and the float32 scores of sentencepiece 0.2.3 bit for bit, where both use the
same system's ``log``; the same result for any number of threads. (Text of more than 500 MiB is taken in parts there;
here it is refused while it is read.)

`tokenizers` has a Unigram trainer with arithmetic of its own, whose scores differ in their last digits from run to run.
What is promised with ``compat="tokenizers"`` is its layout of the vocabulary, and that the same words give the same
pieces; the pieces are chosen as sentencepiece chooses them, not as that package does: of 2,500 learned from 60 kB of
Korean reviews about 2,200 are in both.

Notes
-----
Kudo: Subword Regularization, ACL 2018. Seeds are strings that recur in the text; rounds of expectation and
maximization follow, after each of which the least useful pieces go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from textpipe.core._sentences import Sentences
from textpipe.core._unigram_trainer import train
from textpipe.core._word_counts import WordCounts
from textpipe.core.byte_alphabet import BYTE_PIECES, to_characters
from textpipe.errors import ConfigError, InputError
from textpipe.limits import DEFAULT_LIMITS
from textpipe.trainers.counting import Progress, checked_threads, require_countable
from textpipe.trainers.first_symbols import first_characters
from textpipe.trainers.progress_lines import report_of
from textpipe.trainers.settings import VocabularyTrainer
from textpipe.trainers.token_rules import PieceShape
from textpipe.trainers.training_state import TrainingState

__all__ = ["TrainedUnigram", "UnigramTrainer", "train_unigram"]

_COMPAT = ("tokenizers", "sentencepiece")
_UNITS = {"order words": "words", "find seed pieces": "places", "estimate": "words"}


@dataclass(eq=False, kw_only=True, repr=False)
class UnigramTrainer(VocabularyTrainer):
    """What unigram vocabulary to learn.

    Parameters
    ----------
    vocab_size : how many entries, special tokens and byte pieces included.
    min_frequency : a string that occurs less often is not considered as a piece.
    show_progress : report on a terminal's standard error while training.
    special_tokens : strings or added tokens, first in the vocabulary; kept as added tokens that are special.
    initial_alphabet : characters to have even where the text lacks them; of a longer string the first counts.
    shrinking_factor : how much of the vocabulary a round keeps.
    unk_token : what unknown characters become; put first when it is no special token. A model needs it, or
        ``byte_fallback``.
    max_piece_length : the most characters of a piece.
    n_sub_iterations : how often a round estimates before it drops pieces.
    user_defined_symbols : texts that are always one piece, after the special tokens; what is learned holds no part of
        them.
    seed_size : how many strings to begin with; 0 for eight times the vocabulary, at least 100,000.
    compat : whose rules hold where a setting below is None: ``"tokenizers"`` (a piece is any part of a word) or
        ``"sentencepiece"`` (one script a piece, digits apart, rare characters left out; strings are taken to recur by
        the bytes after them, not by the characters).
    character_coverage : the share of the text's characters to have in the vocabulary; 1.0 or 0.9995 where None.
    byte_fallback : have 256 pieces for bytes, so that unknown characters can be told.
    split_by_unicode_script, split_by_number : whether a piece has one script, and digits only beside digits.
    split_digits : every digit is a piece by itself.
    split_by_whitespace : no piece goes beyond a word; of sentences only.
    treat_whitespace_as_suffix : U+2581 ends a word instead of beginning it.
    allow_whitespace_only_pieces : runs of spaces may be pieces.
    num_stripes : parts of the text whose float32 sums are added one after the other; sentencepiece's ``num_threads``.
        The threads really used do not matter.

    Examples
    --------
    >>> UnigramTrainer(vocab_size=16000, unk_token="<unk>")
    UnigramTrainer(vocab_size=16000, unk_token='<unk>')
    """

    vocab_size: int = 8000
    initial_alphabet: Sequence[str] = ()
    shrinking_factor: float = 0.75
    unk_token: str | None = None
    max_piece_length: int = 16
    n_sub_iterations: int = 2
    user_defined_symbols: tuple[str, ...] = ()
    seed_size: int = 1_000_000
    compat: str = "tokenizers"
    character_coverage: float | None = None
    byte_fallback: bool = False
    split_by_unicode_script: bool | None = None
    split_by_number: bool | None = None
    split_digits: bool = False
    split_by_whitespace: bool = True
    treat_whitespace_as_suffix: bool = False
    allow_whitespace_only_pieces: bool = False
    num_stripes: int = 16

    _numbers: ClassVar[tuple[str, ...]] = (
        *("vocab_size", "min_frequency", "max_piece_length", "n_sub_iterations", "seed_size", "num_stripes"),
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "initial_alphabet", first_characters(self.initial_alphabet))
        object.__setattr__(self, "user_defined_symbols", tuple(dict.fromkeys(self.user_defined_symbols)))
        super().__post_init__()
        if {"", *self.special_texts} & set(self.user_defined_symbols):
            raise ConfigError("a user-defined symbol is empty, or a special token too", allowed="other texts")
        if self.compat not in _COMPAT:
            raise ConfigError(f"compat cannot be {self.compat!r}", allowed=" or ".join(_COMPAT))
        self._check_range("shrinking_factor", 0.5, 0.95)
        self._check_range("max_piece_length", 1, 512)
        self._check_range("n_sub_iterations", 1, 10)
        self._check_range("num_stripes", 1, DEFAULT_LIMITS.threads)
        if self.character_coverage is not None:
            self._check_range("character_coverage", 0.0, 1.0)
        if self.unk_token is not None and (not isinstance(self.unk_token, str) or not self.unk_token):
            raise ConfigError(f"unk_token cannot be {self.unk_token!r}", allowed="a string that is not empty, or None")

    def _check_range(self, name: str, least: float, most: float) -> None:
        value = getattr(self, name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise ConfigError(f"{name} cannot be {value!r}", allowed=f"{least} to {most}")

    @property
    def reserved(self) -> dict[str, str]:
        """The entries before the learned pieces and the kinds that sentencepiece has for them.

        The unknown token comes first if it is no special token, then these, user-defined symbols and bytes.
        """
        unknown = [] if self.unk_token is None or self.unk_token in self.special_texts else [self.unk_token]
        entries = {text: "unknown" if text == self.unk_token else "control" for text in unknown + self.special_texts}
        entries |= dict.fromkeys(self.user_defined_symbols, "user_defined")
        return entries | (dict.fromkeys(BYTE_PIECES, "byte") if self.byte_fallback else {})

    @property
    def shape(self) -> PieceShape:
        """What a piece may be."""
        by_default = self.compat == "sentencepiece"
        script, number = self.split_by_unicode_script, self.split_by_number
        return PieceShape(
            max_piece_length=self.max_piece_length,
            split_by_unicode_script=by_default if script is None else script,
            split_by_number=by_default if number is None else number,
            split_by_whitespace=self.split_by_whitespace,
            split_digits=self.split_digits,
            treat_whitespace_as_suffix=self.treat_whitespace_as_suffix,
            allow_whitespace_only_pieces=self.allow_whitespace_only_pieces,
        )


class TrainedUnigram(NamedTuple):
    """A learned vocabulary: (piece, score) in the order of ids; the id of the unknown token, or None."""

    vocab: list[tuple[str, float]]
    unk_id: int | None
    byte_fallback: bool
    special_tokens: list[Any]


def train_unigram(
    text: Sentences | WordCounts,
    trainer: UnigramTrainer,
    *,
    threads: int | None = None,
    progress: Progress | None = None,
    release: bool = False,
    state: TrainingState | None = None,
) -> TrainedUnigram:
    """Learn a unigram vocabulary.

    Parameters
    ----------
    text : sentences (:func:`~textpipe.trainers.read_sentences`), or word counts.
    threads : how many estimate at once; by default as many as there are processors. They do not change the result.
    progress : called with each phase, what is done and the total; what it raises stops the training.
    release : empty ``text`` as soon as it is laid out, for less memory at the peak.
    state : saved after a round when a few seconds have gone by, and when the training is stopped; where one was saved,
        rounds go on from there. The seeds are sought anew.

    Raises
    ------
    InputError
        when there is no text, or ``vocab_size`` does not hold the reserved entries and the characters to keep.
    LimitError
        when the text has more than four billion characters, or words so often that their parts cannot be counted.

    Examples
    --------
    >>> counts = WordCounts()
    >>> for word in ("low", "lower", "lowest", "newest", "newer"):
    ...     counts.add(word.encode(), 5)
    >>> trained = train_unigram(counts, UnigramTrainer(vocab_size=14, unk_token="<unk>"))
    >>> [piece for piece, _ in trained.vocab][:4]
    ['<unk>', 'newe', 'r', 's']

    Notes
    -----
    Time in proportion to the characters of distinct words, times the pieces that begin at one place, times rounds.
    """
    threads = checked_threads(threads)
    if len(text) == 0:
        raise InputError("there is no text to learn from", hint="name inputs that hold text")
    report = progress or report_of(trainer.show_progress)
    reserved = list(trainer.reserved)
    coverage = trainer.character_coverage
    if coverage is None:
        coverage = 0.9995 if trainer.compat == "sentencepiece" else 1.0
    if isinstance(text, WordCounts) and text.byte_level:
        text, release = _in_characters(text), True
    if isinstance(text, WordCounts):
        require_countable(text)
    pieces, kept = train(
        text,
        vocab_size=trainer.vocab_size,
        num_reserved=len(reserved),
        seed_size=trainer.seed_size,
        min_frequency=trainer.min_frequency,
        shrinking_factor=trainer.shrinking_factor,
        num_sub_iterations=trainer.n_sub_iterations,
        num_threads=threads,
        num_stripes=trainer.num_stripes,
        coverage=coverage,
        required=[ord(character) for character in trainer.initial_alphabet],
        shape=trainer.shape,
        # Hangul syllables share few lead bytes: by bytes, many a string that recurs is not seen to.
        seeds_by_bytes=trainer.compat == "sentencepiece",
        release=release,
        progress=None if report is None else lambda phase, done, total: report(phase, done, total, unit=_UNITS[phase]),
        state=state,
    )
    if len(kept) + len(reserved) > trainer.vocab_size:
        least = len(kept) + len(reserved)
        raise InputError(
            f"vocab_size {trainer.vocab_size} is smaller than the characters with the reserved entries",
            allowed=f"{least} or more",
            hint=f"pass a vocab_size of {least} or more, or a smaller character_coverage",
        )
    return TrainedUnigram(
        vocab=[(piece, 0.0) for piece in reserved] + pieces,
        unk_id=None if trainer.unk_token is None else reserved.index(trainer.unk_token),
        byte_fallback=trainer.byte_fallback,
        special_tokens=list(trainer.special_tokens),
    )


def _in_characters(counts: WordCounts) -> WordCounts:
    """Words of a byte-level alphabet as its characters."""
    characters = WordCounts()
    for word, count in counts.items():
        characters.add(to_characters(word).encode(), count)
    return characters
