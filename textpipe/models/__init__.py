"""Models: a word in, its tokens out."""

from __future__ import annotations

from textpipe.models.base import Model, Token
from textpipe.models.bpe import BPE
from textpipe.models.rank_bpe import RankBPE
from textpipe.models.sentence_piece import SentencePiece
from textpipe.models.unigram import Unigram
from textpipe.models.word_level import WordLevel
from textpipe.models.word_piece import WordPiece

__all__ = ["BPE", "Model", "RankBPE", "SentencePiece", "Token", "Unigram", "WordLevel", "WordPiece"]
