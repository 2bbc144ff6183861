"""Normalizers: text in, cleaner text out. The first stage of the pipeline."""

from __future__ import annotations

from textpipe.normalizers.aligned import AlignedText
from textpipe.normalizers.base import Normalizer
from textpipe.normalizers.lowercase import Lowercase
from textpipe.normalizers.replace import Replace
from textpipe.normalizers.sequence import Sequence
from textpipe.normalizers.unicode_forms import NFC, NFD, NFKC, NFKD

__all__ = ["NFC", "NFD", "NFKC", "NFKD", "AlignedText", "Lowercase", "Normalizer", "Replace", "Sequence"]
