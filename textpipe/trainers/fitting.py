"""A model with what a trainer learned.

What enters: word counts, a trainer and the model to be trained, whose other settings stay. What leaves: a new model of
the same kind. Promises: a trainer trains its own kind of model and refuses every other before any text is read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textpipe.core._word_counts import WordCounts
from textpipe.errors import InputError, WrongTypeError, a_kind
from textpipe.models import BPE, Model, SentencePiece, Unigram, WordLevel, WordPiece
from textpipe.trainers.bpe import BpeTrainer, train_bpe
from textpipe.trainers.counting import Progress
from textpipe.trainers.sentencepiece_bpe import SentencePieceBpeTrainer, train_sentencepiece_bpe
from textpipe.trainers.sentences import Sentences
from textpipe.trainers.settings import VocabularyTrainer
from textpipe.trainers.training_state import TrainingState
from textpipe.trainers.unigram import UnigramTrainer, train_unigram
from textpipe.trainers.word_level import WordLevelTrainer, train_word_level
from textpipe.trainers.word_piece import WordPieceTrainer, train_word_piece

__all__ = ["fit", "fit_sentences", "trainer_for"]


def _fit_bpe(model: BPE, counts: WordCounts, trainer: BpeTrainer, **watched: Any) -> BPE:
    trainer.was_fed(len(counts))
    trained = train_bpe(counts, trainer, release=True, **watched)
    return model.learned(trained.vocab, trained.merges, trainer.continuing_subword_prefix, trainer.end_of_word_suffix)


def _fit_word_level(model: WordLevel, counts: WordCounts, trainer: WordLevelTrainer, **_watched: Any) -> WordLevel:
    return WordLevel(train_word_level(counts, trainer), model.unk_token)


def _fit_word_piece(model: WordPiece, counts: WordCounts, trainer: WordPieceTrainer, **watched: Any) -> WordPiece:
    vocab = train_word_piece(counts, trainer, **watched)
    return WordPiece(vocab, model.unk_token, model.max_input_chars_per_word, trainer.continuing_subword_prefix)


def _fit_unigram(_model: Unigram, counts: WordCounts, trainer: UnigramTrainer, **watched: Any) -> Unigram:
    trained = train_unigram(counts, trainer, **watched)
    return Unigram(trained.vocab, trained.unk_id, trained.byte_fallback)


_KINDS: dict[type[Model], tuple[type[VocabularyTrainer], Callable[..., Model]]] = {
    BPE: (BpeTrainer, _fit_bpe),
    Unigram: (UnigramTrainer, _fit_unigram),
    WordLevel: (WordLevelTrainer, _fit_word_level),
    WordPiece: (WordPieceTrainer, _fit_word_piece),
}


def trainer_for(model: Model, trainer: VocabularyTrainer | None = None) -> VocabularyTrainer:
    """The trainer given, or one of the model's kind with its defaults.

    Raises
    ------
    InputError
        when the trainer is for another kind of model, or there is none for this kind.
    """
    if type(model) not in _KINDS:
        known = ", ".join(kind.__name__ for kind in _KINDS)
        raise InputError(f"there is no trainer of {a_kind(model)}", allowed=known)
    kind, _ = _KINDS[type(model)]
    if trainer is None:
        return kind()
    if not isinstance(trainer, kind):
        raise WrongTypeError(f"{a_kind(trainer)} cannot train {a_kind(model)}", allowed=f"a {kind.__name__}")
    return trainer


def fit(
    model: Model,
    counts: WordCounts,
    trainer: VocabularyTrainer,
    *,
    threads: int | None = None,
    progress: Progress | None = None,
    state: TrainingState | None = None,
) -> Model:
    """Learn from word counts, which may be emptied on the way.

    ``threads`` and ``state`` are as in :func:`~textpipe.trainers.train_bpe`.

    Raises
    ------
    InputError
        when the trainer is for another kind of model.
    """
    trainer = trainer_for(model, trainer)
    return _KINDS[type(model)][1](model, counts, trainer, threads=threads, progress=progress, state=state)


def fit_sentences(
    sentences: Sentences | WordCounts,
    trainer: UnigramTrainer | SentencePieceBpeTrainer,
    *,
    threads: int | None = None,
    progress: Progress | None = None,
    state: TrainingState | None = None,
) -> SentencePiece:
    """A sentencepiece model learned from sentences, which those of unigrams empty on the way, or from their words."""
    if isinstance(trainer, SentencePieceBpeTrainer):
        pieces = train_sentencepiece_bpe(sentences, trainer, threads=threads, progress=progress, state=state).pieces
        unknown, *controls = trainer.special_texts
        kinds = {unknown: "unknown", **dict.fromkeys(controls, "control")}
        kinds |= dict.fromkeys(trainer.reserved[len(kinds) :], "byte")
        rows = [(piece, score, kinds.get(piece, "normal")) for piece, score in pieces]
        return SentencePiece(rows, "bpe", byte_fallback=trainer.byte_fallback, unk_piece=unknown)
    trained = train_unigram(sentences, trainer, threads=threads, progress=progress, release=True, state=state)
    kinds = trainer.reserved
    rows = [(piece, score, kinds.get(piece, "normal")) for piece, score in trained.vocab]
    return SentencePiece(rows, byte_fallback=trained.byte_fallback, unk_piece=trainer.unk_token or "<unk>")
