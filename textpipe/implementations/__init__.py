"""Whole tokenizers of the usual kinds: the stages chosen, the settings as arguments."""

from __future__ import annotations

from textpipe.implementations.base import BaseTokenizer
from textpipe.implementations.bert_word_piece import BertWordPieceTokenizer
from textpipe.implementations.byte_level_bpe import ByteLevelBPETokenizer
from textpipe.implementations.char_bpe import CharBPETokenizer
from textpipe.implementations.sentencepiece_bpe import SentencePieceBPETokenizer
from textpipe.implementations.sentencepiece_unigram import SentencePieceUnigramTokenizer

__all__ = [
    "BaseTokenizer",
    "BertWordPieceTokenizer",
    "ByteLevelBPETokenizer",
    "CharBPETokenizer",
    "SentencePieceBPETokenizer",
    "SentencePieceUnigramTokenizer",
]
