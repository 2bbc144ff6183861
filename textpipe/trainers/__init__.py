"""Trainers: how a vocabulary is learned from text.

counting    texts or files → how often each word occurs
bpe         those counts → a byte-pair vocabulary and its merges
"""

from __future__ import annotations

from textpipe.trainers.bpe import BpeTrainer, TrainedBpe, require_room, train_bpe
from textpipe.trainers.counting import WordCutter, count_files, count_texts

__all__ = ["BpeTrainer", "TrainedBpe", "WordCutter", "count_files", "count_texts", "require_room", "train_bpe"]
