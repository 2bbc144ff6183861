"""Vocabularies that go on from one there is: more entries with every id kept, and tokens beyond words.

What enters: a byte-pair vocabulary with its merges, word counts of other text, and a trainer. What leaves: a
:class:`~textpipe.trainers.bpe.TrainedBpe` that begins with what was there. Promises: every id and every merge stays;
words begin as the tokenizer of the old vocabulary encodes them, and the new merges are learned on that; a text that
needs none of the new entries is encoded as before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from textpipe.core._bpe_trainer import extend, survey
from textpipe.core._word_counts import WordCounts
from textpipe.core.byte_alphabet import CHARACTER_OF
from textpipe.errors import ConfigError, InputError
from textpipe.trainers.bpe import MERGING_UNITS, BpeTrainer, TrainedBpe, train_bpe
from textpipe.trainers.counting import Progress
from textpipe.trainers.token_rules import UNLIMITED
from textpipe.trainers.training_state import TrainingState

__all__ = ["extend_bpe", "train_superwords"]

Merges = Sequence[tuple[str, str]]


def extend_bpe(
    vocab: Mapping[str, int],
    merges: Merges,
    counts: WordCounts,
    trainer: BpeTrainer,
    *,
    progress: Progress | None = None,
    state: TrainingState | None = None,
) -> TrainedBpe:
    """Learn more entries on other text; all there are keep their ids.

    Parameters
    ----------
    vocab, merges : what there is; ids may have gaps, which stay.
    counts : words of the text to learn from, cut as the old vocabulary's were, or longer.
    trainer : its ``vocab_size`` is that of the whole, its special tokens and characters come before the new merges.
    progress, state : as in :func:`~textpipe.trainers.train_bpe`.

    Raises
    ------
    ConfigError
        when the trainer limits the length or the shape of tokens, which cannot be asked of those there are.
    InputError
        when two entries have one id, or a merge names a string without an id.

    Examples
    --------
    >>> counts = WordCounts()
    >>> counts.add("lowest".encode(), 3)
    >>> old = {"l": 0, "o": 1, "w": 2, "lo": 5, "low": 6}
    >>> extend_bpe(old, [("l", "o"), ("lo", "w")], counts, BpeTrainer(vocab_size=10)).vocab
    {'l': 0, 'o': 1, 'w': 2, 'lo': 5, 'low': 6, 'e': 7, 's': 8, 't': 9, 'lowe': 10, 'st': 11}

    Notes
    -----
    Time that of encoding each distinct word once, then in proportion to the places merged.
    """
    _refuse_limits(trainer)
    strings = _in_order(vocab)
    number_of = {text: number for number, text in enumerate(strings)}
    known = [_numbered(pair, number_of, trainer.continuing_subword_prefix or "") for pair in merges]
    added = [text for text in _first_entries(counts, trainer) if text not in number_of]
    made, learned = extend(
        counts,
        initial=[*strings, *added],
        merges=known,
        vocab_size=trainer.vocab_size,
        min_frequency=min(trainer.min_frequency, UNLIMITED),
        prefix=trainer.continuing_subword_prefix or "",
        suffix=trainer.end_of_word_suffix or "",
        has_floor=_differ(counts, {*strings, *added}, trainer),
        compat=trainer.compat,
        progress=None
        if progress is None
        else lambda phase, done, total: progress(phase, done, total, unit=MERGING_UNITS[phase]),
        state=state,
    )
    start = max(vocab.values(), default=-1) + 1 - len(strings)
    grown = {**dict(vocab), **{text: start + number for number, text in enumerate(learned) if number >= len(strings)}}
    pairs = dict.fromkeys([*merges, *((learned[left], learned[right]) for left, right, _ in made)])
    return TrainedBpe(grown, list(pairs), list(trainer.special_tokens))


def train_superwords(
    words: WordCounts,
    spans: WordCounts,
    trainer: BpeTrainer,
    *,
    words_until: int,
    progress: Progress | None = None,
    states: tuple[TrainingState, TrainingState] | None = None,
) -> TrainedBpe:
    """Learn tokens within words first, then tokens that may hold several.

    Parameters
    ----------
    words : counts of words, as the pre-tokenizer of the first stage cuts them.
    spans : counts of the same text cut less finely, as the tokenizer to be used cuts it: spaces stay within.
    words_until : size of the vocabulary at which the second stage begins.
    progress : as in :func:`~textpipe.trainers.train_bpe`.
    states : of the two stages.

    Raises
    ------
    ConfigError
        when ``words_until`` is above ``vocab_size``, or the trainer has limits that the second stage cannot keep.

    Examples
    --------
    >>> words, spans = WordCounts(), WordCounts()
    >>> for word in ("by", " the", " way"):
    ...     words.add(word.encode(), 5)
    >>> spans.add(b"by the way", 5)
    >>> trained = train_superwords(words, spans, BpeTrainer(vocab_size=16), words_until=13)
    >>> list(trained.vocab)[8:]
    [' t', ' w', 'ay', 'by', 'he', ' the', ' way', 'by the']

    Notes
    -----
    Liu, Hayase, Hofmann, Oh, Smith, Choi: SuperBPE, COLM 2025. The spans begin as all merges of the first stage,
    wherever they apply, leave them, since that is how the tokenizer will encode them.
    """
    if words_until > trainer.vocab_size:
        raise ConfigError(f"words_until cannot be {words_until}", allowed=f"up to vocab_size {trainer.vocab_size}")
    _refuse_limits(trainer)
    of_words, of_spans = states or (None, None)
    first = train_bpe(words, replace(trainer, vocab_size=words_until), progress=progress, state=of_words)
    return extend_bpe(first.vocab, first.merges, spans, trainer, progress=progress, state=of_spans)


def _refuse_limits(trainer: BpeTrainer) -> None:
    for name in ("max_token_length", "limit_alphabet"):
        if getattr(trainer, name) is not None:
            raise ConfigError(f"{name} cannot be kept by a vocabulary that goes on from another", hint="leave it out")
    if trainer.whole_characters or trainer.scripts_apart:
        raise ConfigError(
            "whole_characters and scripts_apart cannot be kept by a vocabulary that goes on from another",
            hint="leave them out",
        )


def _in_order(vocab: Mapping[str, int]) -> list[str]:
    strings = sorted(vocab, key=lambda text: vocab[text])
    for one, other in pairwise(strings):
        if vocab[one] == vocab[other]:
            raise InputError(f"{one!r} and {other!r} have the same id {vocab[one]}", hint="give each its own")
    return strings


def _numbered(pair: tuple[str, str], number_of: dict[str, int], prefix: str) -> tuple[int, int, int]:
    left, right = pair
    made = left + right.removeprefix(prefix)
    missing = next((text for text in (left, right, made) if text not in number_of), None)
    if missing is not None:
        raise InputError(f"the merge of {left!r} and {right!r} needs {missing!r}, which has no id")
    return number_of[left], number_of[right], number_of[made]


def _first_entries(counts: WordCounts, trainer: BpeTrainer) -> list[str]:
    """What a new vocabulary of these counts would begin with."""
    return list(train_bpe(counts, replace(trainer, vocab_size=0)).vocab)


def _differ(counts: WordCounts, vocab: set[str], trainer: BpeTrainer) -> bool:
    """Whether every character of the counts has an entry wherever it stands, so that no two words become one token."""
    if trainer.continuing_subword_prefix or trainer.end_of_word_suffix:
        return False
    return all((CHARACTER_OF[code] if counts.byte_level else chr(code)) in vocab for code, _, _ in survey(counts))
