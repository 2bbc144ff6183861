"""Normalizers: text in, cleaner text out. The first stage of the pipeline."""

from __future__ import annotations

from textpipe.normalizers.aligned import AlignedText
from textpipe.normalizers.base import Normalizer
from textpipe.normalizers.bert import BertNormalizer
from textpipe.normalizers.byte_level import ByteLevel
from textpipe.normalizers.lowercase import Lowercase
from textpipe.normalizers.nmt import Nmt
from textpipe.normalizers.normalized_string import NormalizedString
from textpipe.normalizers.precompiled import Precompiled
from textpipe.normalizers.prepend import Prepend
from textpipe.normalizers.replace import Replace
from textpipe.normalizers.sentence_piece import SentencePiece
from textpipe.normalizers.sequence import Sequence
from textpipe.normalizers.strip import Strip
from textpipe.normalizers.strip_accents import StripAccents
from textpipe.normalizers.unicode_forms import NFC, NFD, NFKC, NFKD, NORMALIZERS, unicode_normalizer_from_str

__all__ = [
    "NFC",
    "NFD",
    "NFKC",
    "NFKD",
    "NORMALIZERS",
    "AlignedText",
    "BertNormalizer",
    "ByteLevel",
    "Lowercase",
    "Nmt",
    "NormalizedString",
    "Normalizer",
    "Precompiled",
    "Prepend",
    "Replace",
    "SentencePiece",
    "Sequence",
    "Strip",
    "StripAccents",
    "unicode_normalizer_from_str",
]
