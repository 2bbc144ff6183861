"""Trainers: how a vocabulary is learned from text.

counting    texts or files → how often each word occurs
counts_file those counts on disk, to be added up
counting_state those so far, for a counting that goes on after a kill; training_state: what is learned so far, likewise
counting_threads those that count
rhythm      when these are saved
memory      what the process may hold meanwhile; spilling: what does not fit waits on the disk
first_symbols what a vocabulary begins with; progress_lines: what is said meanwhile
bpe         those counts → a byte-pair vocabulary and its merges
parity_bpe  the counts of several languages → one vocabulary that is fair to each
extending   a vocabulary there is and counts → one with more entries; pruning: with fewer
sentencepiece_bpe  sentences or counts → the pieces that sentencepiece's byte-pair training makes
token_rules what a token may be
word_level  those counts → a vocabulary of whole words
word_piece  those counts → pieces of words, those inside with a prefix
sentences   texts or files → sentences, as sentencepiece has them
unigram     sentences or counts → pieces with scores
fitting     which trainer a model takes, and the model it makes
"""

from __future__ import annotations

from textpipe.trainers.bpe import BpeTrainer, TrainedBpe, require_room, train_bpe, train_bpe_ladder
from textpipe.trainers.counting import WordCounts, count_files, count_texts
from textpipe.trainers.counting_state import CountingState
from textpipe.trainers.counts_file import load_counts, save_counts
from textpipe.trainers.extending import extend_bpe, train_superwords
from textpipe.trainers.fitting import fit, fit_sentences, trainer_for
from textpipe.trainers.memory import MemoryLimit
from textpipe.trainers.parity_bpe import ParityBpeTrainer, train_parity_bpe
from textpipe.trainers.pruning import PrunedBpe, prune_bpe
from textpipe.trainers.sentencepiece_bpe import (
    SentencePieceBpeTrainer,
    TrainedPieces,
    required_characters,
    train_sentencepiece_bpe,
)
from textpipe.trainers.sentences import SentenceCutter, SentenceReader, Sentences, read_sentence_files, read_sentences
from textpipe.trainers.settings import VocabularyTrainer
from textpipe.trainers.settings import VocabularyTrainer as Trainer
from textpipe.trainers.training_state import TrainingState
from textpipe.trainers.unigram import TrainedUnigram, UnigramTrainer, train_unigram
from textpipe.trainers.word_cutter import WordCutter
from textpipe.trainers.word_level import WordLevelTrainer, train_word_level
from textpipe.trainers.word_piece import WordPieceTrainer, train_word_piece

__all__ = [
    "BpeTrainer",
    "CountingState",
    "MemoryLimit",
    "ParityBpeTrainer",
    "PrunedBpe",
    "SentenceCutter",
    "SentencePieceBpeTrainer",
    "SentenceReader",
    "Sentences",
    "TrainedBpe",
    "TrainedPieces",
    "TrainedUnigram",
    "Trainer",
    "TrainingState",
    "UnigramTrainer",
    "VocabularyTrainer",
    "WordCounts",
    "WordCutter",
    "WordLevelTrainer",
    "WordPieceTrainer",
    "count_files",
    "count_texts",
    "extend_bpe",
    "fit",
    "fit_sentences",
    "load_counts",
    "prune_bpe",
    "read_sentence_files",
    "read_sentences",
    "require_room",
    "required_characters",
    "save_counts",
    "train_bpe",
    "train_bpe_ladder",
    "train_parity_bpe",
    "train_sentencepiece_bpe",
    "train_superwords",
    "train_unigram",
    "train_word_level",
    "train_word_piece",
    "trainer_for",
]
