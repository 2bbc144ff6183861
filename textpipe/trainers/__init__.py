"""Trainers: how a vocabulary is learned from text.

counting    texts or files → how often each word occurs
counts_file those counts on disk, to be added up
bpe         those counts → a byte-pair vocabulary and its merges
"""

from __future__ import annotations

from textpipe.trainers.bpe import BpeTrainer, TrainedBpe, require_room, train_bpe, train_bpe_ladder
from textpipe.trainers.counting import WordCounts, WordCutter, count_files, count_texts
from textpipe.trainers.counts_file import load_counts, save_counts

__all__ = [
    "BpeTrainer",
    "TrainedBpe",
    "WordCounts",
    "WordCutter",
    "count_files",
    "count_texts",
    "load_counts",
    "require_room",
    "save_counts",
    "train_bpe",
    "train_bpe_ladder",
]
