"""Byte-pair vocabularies: what to learn, and learning it from word counts.

What enters: a :class:`BpeTrainer` (plain settings) and word counts. What leaves: a :class:`TrainedBpe` with the
vocabulary in the order of its ids and the merges in the order they apply. Promises: both depend on the words and the
settings alone, never on threads or the order of the words; by default they are equal to what `tokenizers` 0.23.3 learns
from the same words, its quirks included.

Where `tokenizers` itself differs from run to run, one rule is kept here: characters that ``limit_alphabet`` must choose
between at equal counts go by code point, the lowest kept; symbols that a prefix or suffix makes get their ids in the
order of their strings. Counts have 64 bits where it has 32. A vocabulary size below the alphabet gives the alphabet and
no merges, as there; :func:`require_room` refuses it.

``compat="plain"`` is the textbook: again and again the pair that counts most is joined in all words, of equal ones the
pair of the lowest left id, then of the lowest right id. A pair counts as often as joining it from left to right joins
it: "aaa" holds "aa" once. A string that is made a second time keeps its id, and a pair that is joined a second time
keeps its first place among the merges. `tokenizers` differs: there "aaa" holds "aa" twice, a joined pair keeps its
count, and a pair that comes up again is joined only in the words where it did.

``compat="likelihood"`` joins the pair of the greatest score(a, b) = count(ab) / (count(a) · count(b)), with all counts
as the words stand at that step, places that overlap counted too. Of equal scores the pair that counts most is first,
then that of the lowest left id, then of the lowest right id. Scores are compared as fractions, exactly. Among symbols
that are always together the rarest score highest, so a ``min_frequency`` of some size belongs to it.

Notes
-----
Sennrich, Haddow, Birch: Neural Machine Translation of Rare Words with Subword Units, ACL 2016. Schuster, Nakajima:
Japanese and Korean Voice Search, ICASSP 2012, chooses by what a join adds to the likelihood of the text; the score is
what it adds for each place joined, log P(ab) - log P(a) - log P(b), but for what is the same for all pairs of a step.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

from textpipe.core._bpe_trainer import train
from textpipe.core._word_counts import WordCounts
from textpipe.errors import ConfigError, InputError
from textpipe.trainers.counting import Progress, checked_threads
from textpipe.trainers.first_symbols import FirstSymbols, first_characters
from textpipe.trainers.progress_lines import PROGRESS_FORMATS, report_of
from textpipe.trainers.settings import VocabularyTrainer
from textpipe.trainers.token_rules import UNLIMITED, token_rules
from textpipe.trainers.training_state import TrainingState

__all__ = ["MERGING_UNITS", "BpeTrainer", "TrainedBpe", "require_room", "train_bpe", "train_bpe_ladder"]

_COMPAT = ("tokenizers", "plain", "likelihood")


@dataclass(eq=False, kw_only=True, repr=False)
class BpeTrainer(VocabularyTrainer):
    """What byte-pair vocabulary to learn.

    Parameters
    ----------
    vocab_size : how many entries, special tokens and alphabet included.
    min_frequency : a pair that occurs less often is not merged.
    show_progress : report on standard error while training.
    progress_format : as what: ``"indicatif"``, one line, on a terminal alone; ``"json"``, a JSON object a line,
        wherever it goes; or ``"silent"``, nothing.
    special_tokens : strings or added tokens, first in the vocabulary; kept as added tokens that are special.
    limit_alphabet : keep only that many of the most frequent characters.
    initial_alphabet : characters to have even where the text lacks them; of a longer string the first counts.
    continuing_subword_prefix : put before every symbol that does not begin a word.
    end_of_word_suffix : put after every symbol that ends one.
    max_token_length : pairs of this many characters or more are not formed anew.
    compat : whose rules choose the pairs: ``"tokenizers"``, ``"plain"`` or ``"likelihood"``.
    whole_characters : of a byte-level alphabet, no token is more than a part of one character and less than whole ones,
        so that no token ends inside a syllable that it does not begin in.
    scripts_apart : no token has two of Hangul, Latin and digits; of a byte-level alphabet characters stay whole too.

    Examples
    --------
    >>> BpeTrainer(vocab_size=8000, special_tokens=["<|endoftext|>"])
    BpeTrainer(vocab_size=8000, special_tokens=['<|endoftext|>'])
    """

    limit_alphabet: int | None = None
    initial_alphabet: Sequence[str] = ()
    continuing_subword_prefix: str | None = None
    end_of_word_suffix: str | None = None
    max_token_length: int | None = None
    compat: str = "tokenizers"
    whole_characters: bool = False
    scripts_apart: bool = False
    progress_format: str = "indicatif"

    _optional_numbers: ClassVar[tuple[str, ...]] = ("limit_alphabet", "max_token_length")

    def __post_init__(self) -> None:
        object.__setattr__(self, "initial_alphabet", first_characters(self.initial_alphabet))
        super().__post_init__()
        if self.compat not in _COMPAT:
            raise ConfigError(f"compat cannot be {self.compat!r}", allowed=", ".join(_COMPAT))
        if self.progress_format not in PROGRESS_FORMATS:
            raise ConfigError(
                f"progress_format cannot be {self.progress_format!r}", allowed=", ".join(PROGRESS_FORMATS)
            )
        is_limited = self.whole_characters or self.scripts_apart or self.max_token_length is not None
        if self.compat == "likelihood" and is_limited:
            raise ConfigError(
                'compat="likelihood" has no max_token_length, whole_characters or scripts_apart', hint="leave them out"
            )
        is_decorated = bool(self.continuing_subword_prefix or self.end_of_word_suffix)
        if self.compat == "plain" and is_decorated and self.max_token_length is not None:
            raise ConfigError(
                'compat="plain" has no max_token_length beside a prefix or suffix', hint="leave out one of them"
            )

    def get_word_count(self) -> int:
        """How many distinct words there were in the last text that a tokenizer learned by this trainer; 0 before."""
        return int(self.__dict__.get("_num_words", 0))

    def was_fed(self, num_words: int) -> None:
        """Note how many distinct words a text had; the settings stay what they are."""
        object.__setattr__(self, "_num_words", num_words)


class TrainedBpe(NamedTuple):
    """A learned vocabulary: string → id in the order of ids, merges in order, the trainer's special tokens."""

    vocab: dict[str, int]
    merges: list[tuple[str, str]]
    special_tokens: list[Any]


def train_bpe(
    counts: WordCounts,
    trainer: BpeTrainer,
    *,
    threads: int | None = None,
    progress: Progress | None = None,
    release: bool = False,
    state: TrainingState | None = None,
) -> TrainedBpe:
    """Learn a byte-pair vocabulary from word counts.

    Parameters
    ----------
    counts : words, as bytes of a byte-level alphabet or as UTF-8.
    threads : how many share the long merges; by default as many as there are processors. They do not change the result.
    progress : called with each phase, what is done and the total; what it raises stops the training. Where the text
        yields fewer entries than asked for, the last call has a ``note`` that says so.
    release : empty ``counts`` as soon as they are laid out, for less memory at the peak; not done with a prefix or
        suffix.
    state : saved every few seconds, and when the training is stopped; where one was saved, merging goes on from there.

    Raises
    ------
    LimitError
        when the distinct words hold more than four billion symbols, or come so often that these cannot be counted.
    StateError, FormatError
        when the state was saved by another training, or is damaged.

    Examples
    --------
    >>> counts = WordCounts()
    >>> for word in ("low", "lower", "lowest"):
    ...     counts.add(word.encode())
    >>> train_bpe(counts, BpeTrainer(vocab_size=9)).merges
    [('l', 'o'), ('lo', 'w')]

    Notes
    -----
    Time O(symbols of distinct words) to lay out, then in proportion to the places merged.
    """
    ladder = train_bpe_ladder(
        counts, trainer, [trainer.vocab_size], threads=threads, progress=progress, release=release, state=state
    )
    return ladder[0]


def train_bpe_ladder(
    counts: WordCounts,
    trainer: BpeTrainer,
    vocab_sizes: Iterable[int],
    *,
    threads: int | None = None,
    progress: Progress | None = None,
    release: bool = False,
    state: TrainingState | None = None,
) -> list[TrainedBpe]:
    """Learn vocabularies of several sizes in one run; each is the one that a training at that size gives.

    Parameters
    ----------
    trainer : everything but ``vocab_size``, which ``vocab_sizes`` stand for; in that order the results come.
    counts, threads, progress, release, state : as in :func:`train_bpe`.

    Examples
    --------
    >>> counts = WordCounts()
    >>> for word in ("low", "lower", "lowest"):
    ...     counts.add(word.encode())
    >>> [trained.merges for trained in train_bpe_ladder(counts, BpeTrainer(), [9, 8])]
    [[('l', 'o'), ('lo', 'w')], [('l', 'o')]]

    Notes
    -----
    A merge is chosen by what was merged before it, never by the size aimed at, which only says when to stop.
    """
    rungs = [replace(trainer, vocab_size=size) for size in vocab_sizes]
    if not rungs:
        raise ConfigError("no vocabulary size is given", allowed="one or more")
    symbols = FirstSymbols(counts, trainer)
    report = progress or report_of(trainer.show_progress, trainer.progress_format)
    merges, strings = train(
        counts,
        initial=list(symbols.vocab),
        characters=symbols.characters,
        ids=symbols.ids,
        vocab_size=max(rung.vocab_size for rung in rungs),
        min_frequency=min(trainer.min_frequency, UNLIMITED),
        max_token_length=UNLIMITED if trainer.max_token_length is None else trainer.max_token_length,
        prefix=trainer.continuing_subword_prefix or "",
        suffix=trainer.end_of_word_suffix or "",
        has_floor=symbols.full_words_differ and trainer.max_token_length is None,
        compat=trainer.compat,
        rules=token_rules(
            byte_level=counts.byte_level,
            whole_characters=trainer.whole_characters,
            scripts_apart=trainer.scripts_apart,
        ),
        # One string can then be read as different numbers of symbols, and a second trainer needs the words again.
        release=release and not (trainer.continuing_subword_prefix or trainer.end_of_word_suffix),
        num_threads=checked_threads(threads),
        progress=None
        if report is None
        else lambda phase, done, total: report(phase, done, total, unit=MERGING_UNITS[phase]),
        state=state,
    )
    room = max(rung.vocab_size for rung in rungs) - len(symbols.vocab)
    learned = len(strings) - len(symbols.vocab)
    if report is not None and learned < room:
        report("merge", learned, room, unit=MERGING_UNITS["merge"], note=_EXHAUSTED)
    return [_stopped_at(rung, len(symbols.vocab), merges, strings) for rung in rungs]


def _stopped_at(
    trainer: BpeTrainer, num_initial: int, merges: list[tuple[int, int, int]], strings: list[str]
) -> TrainedBpe:
    """What had been learned when ``vocab_size`` was reached, or all of it."""
    size = num_initial
    done = 0
    # A merge that makes a known string gives no id, so the size is not told by the number of merges.
    while done < len(merges) and size < trainer.vocab_size:
        size += merges[done][2] == size
        done += 1
    merges, strings = merges[:done], strings[:size]
    # A pair that was merged twice stands where it was merged last; in the textbook where it applies first.
    numbered = [((left, right), number) for number, (left, right, _) in enumerate(merges)]
    place = dict(numbered if trainer.compat == "tokenizers" else reversed(numbered))
    return TrainedBpe(
        vocab={text: number for number, text in enumerate(strings)},
        merges=[(strings[a], strings[b]) for n, (a, b, _) in enumerate(merges) if place[a, b] == n],
        special_tokens=list(trainer.special_tokens),
    )


_EXHAUSTED = "the text yields no more"
MERGING_UNITS = {"lay out words": "words", "count pairs": "symbols", "merge": "merges"}


def require_room(counts: WordCounts, trainer: BpeTrainer) -> None:
    """Refuse counts from which nothing can be learned.

    Raises
    ------
    InputError
        when there are no words, or when ``vocab_size`` does not hold the special tokens and the alphabet.
    """
    if len(counts) == 0:
        raise InputError("there is no text to learn from", hint="name inputs that hold text")
    least = len(FirstSymbols(counts, trainer).vocab)
    if trainer.vocab_size < least:
        raise InputError(
            f"vocab_size {trainer.vocab_size} is smaller than the alphabet with the special tokens",
            allowed=f"{least} or more",
            hint=f"set vocab_size to {least} or more, or limit_alphabet to fewer characters",
        )
