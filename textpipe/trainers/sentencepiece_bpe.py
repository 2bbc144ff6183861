"""Byte-pair vocabularies as sentencepiece learns them.

What enters: a :class:`SentencePieceBpeTrainer` and the words of escaped sentences, each with its U+2581 where a space
was. What leaves: the pieces with their scores, in the order of their ids. Promises: the pieces and scores that
sentencepiece 0.2.3 learns from the same words, whatever the threads and the order of the words.

Its rules: a pair counts in every place where it stands, overlapping ones too; of equal counts the piece of fewer
characters comes first, then the one of the lower bytes; a piece that is there already is not made from another pair; a
piece is no longer than ``max_piece_length``, has one script, and U+2581 where words begin. Characters beyond
``character_coverage`` are in no piece. After the merges come the characters, the most frequent first.

Notes
-----
Kudo, Richardson: SentencePiece, a simple and language independent subword tokenizer, EMNLP 2018.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from textpipe.core._bpe_trainer import survey, train
from textpipe.core._sentences import Sentences, count_sentence_words
from textpipe.core._word_counts import WordCounts
from textpipe.core.byte_alphabet import BYTE_PIECES
from textpipe.errors import ConfigError, InputError
from textpipe.models.added_tokens import AddedToken
from textpipe.trainers.counting import Progress, checked_threads
from textpipe.trainers.sentences import SentenceCutter, SentenceReader
from textpipe.trainers.settings import VocabularyTrainer
from textpipe.trainers.token_rules import UNLIMITED, PieceShape, piece_rules
from textpipe.trainers.training_state import TrainingState

__all__ = ["SentencePieceBpeTrainer", "TrainedPieces", "required_characters", "train_sentencepiece_bpe"]

_UNKNOWN = "\u2585"  # stands for every character outside the alphabet
_CUT = 0x1F  # stands where a special token was


@dataclass(eq=False, kw_only=True, repr=False)
class SentencePieceBpeTrainer(VocabularyTrainer):
    """What byte-pair vocabulary to learn in the way of sentencepiece.

    Parameters
    ----------
    vocab_size : how many pieces, special ones and characters included.
    min_frequency : a pair that occurs less often is not merged; sentencepiece has no such setting.
    show_progress : report on a terminal's standard error while training.
    special_tokens : first in the vocabulary; the first of them stands for unknown text.
    character_coverage : the most frequent characters are kept until they make up this share of the text.
    required_characters : characters to have whatever their count.
    byte_fallback : have a piece for each byte, after the special tokens.
    max_piece_length : in characters.
    split_by_unicode_script, split_by_number, split_by_whitespace, split_digits, treat_whitespace_as_suffix,
    allow_whitespace_only_pieces : what a piece may be, as in sentencepiece.
    hard_vocab_limit : refuse a text that does not give as many pieces.

    Examples
    --------
    >>> SentencePieceBpeTrainer(vocab_size=16000, byte_fallback=True)
    SentencePieceBpeTrainer(vocab_size=16000, byte_fallback=True)
    """

    vocab_size: int = 8000
    special_tokens: Sequence[str | AddedToken] = ("<unk>", "<s>", "</s>")
    character_coverage: float = 0.9995
    required_characters: str = ""
    byte_fallback: bool = False
    max_piece_length: int = 16
    split_by_unicode_script: bool = True
    split_by_number: bool = True
    split_by_whitespace: bool = True
    split_digits: bool = False
    treat_whitespace_as_suffix: bool = False
    allow_whitespace_only_pieces: bool = False
    hard_vocab_limit: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.character_coverage <= 1:
            raise ConfigError(
                f"character_coverage cannot be {self.character_coverage!r}", allowed="a share above 0, up to 1"
            )
        if self.max_piece_length < 1:
            raise ConfigError(f"max_piece_length cannot be {self.max_piece_length!r}", allowed="1 or more")

    @property
    def reserved(self) -> list[str]:
        """The special tokens, and the pieces of bytes where they are asked for."""
        return [*self.special_texts, *(BYTE_PIECES if self.byte_fallback else ())]

    @property
    def shape(self) -> PieceShape:
        """What a piece may be."""
        return PieceShape(
            max_piece_length=self.max_piece_length,
            split_by_unicode_script=self.split_by_unicode_script,
            split_by_number=self.split_by_number,
            split_by_whitespace=self.split_by_whitespace,
            split_digits=self.split_digits,
            treat_whitespace_as_suffix=self.treat_whitespace_as_suffix,
            allow_whitespace_only_pieces=self.allow_whitespace_only_pieces,
        )

    def cutter(self, reader: SentenceReader) -> SentenceCutter:
        """What makes words of sentences for this trainer: how to count files without keeping their text."""
        if reader.treat_whitespace_as_suffix != self.treat_whitespace_as_suffix:
            raise ConfigError("the reader and the trainer put spaces to different ends of words")
        return SentenceCutter(
            reader=reader,
            split_by_whitespace=self.split_by_whitespace,
            allow_whitespace_only_pieces=self.allow_whitespace_only_pieces,
        )


class TrainedPieces(NamedTuple):
    """What was learned: (piece, score) by id, and the pair each merge joined, in order."""

    pieces: list[tuple[str, float]]
    merges: list[tuple[str, str]]


def required_characters(counts: dict[int, int], coverage: float, wanted: str = "") -> dict[int, int]:
    """The characters a vocabulary must have, with their counts.

    Parameters
    ----------
    counts : code point → how often it occurs; 0 is left out.
    coverage : share of the text that the most frequent of them must make up.
    wanted : characters to have whatever their count.

    Examples
    --------
    >>> required_characters({ord("밥"): 8, ord("물"): 1, ord("빵"): 1}, 0.9)
    {48165: 8, 47932: 1}

    Notes
    -----
    Of equal counts the lower code point is first. Shares are compared with 32 bits, as in sentencepiece.
    """
    first = {ord(c) for c in wanted} - {0}
    counts = {**dict.fromkeys(first, 0), **{code: count for code, count in counts.items() if code != 0}}
    total = sum(counts.values())
    kept: dict[int, int] = {}
    done = 0
    for code in sorted(counts, key=lambda code: (code not in first, -counts[code], code)):
        if total == 0 or _float32(done / total) >= _float32(coverage):
            break
        done += counts[code]
        if code != _CUT:
            kept[code] = counts[code]
    return kept


def _float32(value: float) -> float:
    """The nearest number of 32 bits."""
    (rounded,) = struct.unpack("f", struct.pack("f", value))
    return float(rounded)


def train_sentencepiece_bpe(
    text: Sentences | WordCounts,
    trainer: SentencePieceBpeTrainer,
    *,
    threads: int | None = None,
    progress: Progress | None = None,
    state: TrainingState | None = None,
) -> TrainedPieces:
    """Learn pieces from sentences, or from their words.

    Parameters
    ----------
    text : sentences (:func:`~textpipe.trainers.read_sentences`), or their words as UTF-8: cut before (or after) each
        U+2581 or, where pieces may cross words, whole (:func:`~textpipe.trainers.count_files` counts them by
        :meth:`SentencePieceBpeTrainer.cutter`).
    threads, progress, state : as in :func:`~textpipe.trainers.train_bpe`.

    Raises
    ------
    InputError
        when there is no text, when ``vocab_size`` does not hold the special tokens and the characters, or when the text
        does not give as many pieces and ``hard_vocab_limit`` is set.

    Examples
    --------
    >>> counts = WordCounts()
    >>> for word, count in (("▁밥을", 4), ("▁밥은", 2), ("▁물", 1)):
    ...     counts.add(word.encode(), count)
    >>> trained = train_sentencepiece_bpe(counts, SentencePieceBpeTrainer(vocab_size=10))
    >>> [piece for piece, _ in trained.pieces]
    ['<unk>', '<s>', '</s>', '▁밥', '▁밥을', '▁', '밥', '을', '은', '물']
    """
    counts = text if isinstance(text, WordCounts) else _words_of(text, trainer)
    used = {code: count for code, _, count in survey(counts)}
    alphabet = required_characters(used, trainer.character_coverage, trainer.required_characters)
    reserved = trainer.reserved
    _require_room(trainer, reserved, alphabet, used)
    strings = [chr(code) for code in alphabet]
    ids = {code: number for number, code in enumerate(alphabet)}
    merges, learned = train(
        counts,
        initial=[*strings, _UNKNOWN],
        characters=list(used),
        ids=[ids.get(code, len(strings)) for code in used for _ in range(4)],
        vocab_size=trainer.vocab_size - len(reserved) + 1,
        min_frequency=min(trainer.min_frequency, UNLIMITED),
        max_token_length=UNLIMITED,
        prefix="",
        suffix="",
        has_floor=True,
        release=False,
        compat="sentencepiece",
        rules=piece_rules(trainer.shape, used, alphabet),
        num_threads=checked_threads(threads),
        progress=progress,
        state=state,
    )
    made = learned[len(strings) + 1 :]
    pieces = [(text, 0.0) for text in reserved]
    pieces += [(text, -float(number)) for number, text in enumerate([*made, *_by_count(alphabet)])]
    if trainer.hard_vocab_limit and len(pieces) < trainer.vocab_size:
        raise InputError(
            f"the text gives {len(pieces)} pieces, fewer than vocab_size {trainer.vocab_size}",
            allowed=f"up to {len(pieces)}",
            hint="learn from more text, or leave the limit open: hard_vocab_limit=False",
        )
    return TrainedPieces(pieces, [(learned[left], learned[right]) for left, right, _ in merges])


def _words_of(sentences: Sentences, trainer: SentencePieceBpeTrainer) -> WordCounts:
    return count_sentence_words(
        sentences,
        split_by_whitespace=trainer.split_by_whitespace,
        treat_whitespace_as_suffix=trainer.treat_whitespace_as_suffix,
        allow_whitespace_only_pieces=trainer.allow_whitespace_only_pieces,
    )


def _by_count(alphabet: dict[int, int]) -> list[str]:
    return [chr(code) for code in sorted(alphabet, key=lambda code: (-alphabet[code], code))]


def _require_room(
    trainer: SentencePieceBpeTrainer, reserved: list[str], alphabet: dict[int, int], used: dict[int, int]
) -> None:
    if not alphabet:
        raise InputError("there is no text to learn from", hint="name inputs that hold text")
    taken = set(reserved) & {chr(code) for code in alphabet}
    if taken:
        raise InputError(f"{min(taken)!r} is a special token and a character of the text", hint="name another token")
    least = len(reserved) + len(alphabet)
    if trainer.vocab_size < least:
        raise InputError(
            f"vocab_size {trainer.vocab_size} is smaller than the special tokens with the {len(alphabet):,} characters",
            allowed=f"{least} or more",
            hint=f"learn a larger vocabulary, or lower character_coverage: {len(used):,} characters are in the text",
        )
