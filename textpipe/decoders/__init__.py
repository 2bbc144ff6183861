"""Decoders: pieces in, text out."""

from __future__ import annotations

from textpipe.decoders.base import Decoder
from textpipe.decoders.bpe import BPEDecoder
from textpipe.decoders.byte_fallback import ByteFallback
from textpipe.decoders.byte_level import ByteLevel
from textpipe.decoders.ctc import CTC
from textpipe.decoders.fuse import Fuse
from textpipe.decoders.metaspace import Metaspace
from textpipe.decoders.replace import Replace
from textpipe.decoders.sentence_piece import SentencePiece
from textpipe.decoders.sequence import Sequence
from textpipe.decoders.stream import DecodeStream
from textpipe.decoders.strip import Strip
from textpipe.decoders.word_piece import WordPiece

__all__ = [
    "CTC",
    "BPEDecoder",
    "ByteFallback",
    "ByteLevel",
    "DecodeStream",
    "Decoder",
    "Fuse",
    "Metaspace",
    "Replace",
    "SentencePiece",
    "Sequence",
    "Strip",
    "WordPiece",
]
