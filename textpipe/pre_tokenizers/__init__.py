"""Pre-tokenizers: text in, words out. What the model sees one at a time."""

from __future__ import annotations

from textpipe.pre_tokenizers.base import NativeCut, PreTokenizer
from textpipe.pre_tokenizers.bert import BertPreTokenizer
from textpipe.pre_tokenizers.byte_level import ByteLevel
from textpipe.pre_tokenizers.char_delimiter import CharDelimiterSplit
from textpipe.pre_tokenizers.digits import Digits
from textpipe.pre_tokenizers.fixed_length import FixedLength
from textpipe.pre_tokenizers.metaspace import Metaspace
from textpipe.pre_tokenizers.morphemes import Morphemes
from textpipe.pre_tokenizers.pre_tokenized_string import PreTokenizedString
from textpipe.pre_tokenizers.punctuation import Punctuation
from textpipe.pre_tokenizers.sequence import Sequence
from textpipe.pre_tokenizers.split import Split
from textpipe.pre_tokenizers.unicode_scripts import UnicodeScripts
from textpipe.pre_tokenizers.whitespace import Whitespace, WhitespaceSplit

__all__ = [
    "BertPreTokenizer",
    "ByteLevel",
    "CharDelimiterSplit",
    "Digits",
    "FixedLength",
    "Metaspace",
    "Morphemes",
    "NativeCut",
    "PreTokenizedString",
    "PreTokenizer",
    "Punctuation",
    "Sequence",
    "Split",
    "UnicodeScripts",
    "Whitespace",
    "WhitespaceSplit",
]
