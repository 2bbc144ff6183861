"""Pre-tokenizers: text in, words out. What the model sees one at a time."""

from __future__ import annotations

from textpipe.pre_tokenizers.base import NativeCut, PreTokenizer
from textpipe.pre_tokenizers.byte_level import ByteLevel
from textpipe.pre_tokenizers.digits import Digits
from textpipe.pre_tokenizers.sequence import Sequence
from textpipe.pre_tokenizers.split import Split
from textpipe.pre_tokenizers.whitespace import Whitespace, WhitespaceSplit

__all__ = ["ByteLevel", "Digits", "NativeCut", "PreTokenizer", "Sequence", "Split", "Whitespace", "WhitespaceSplit"]
