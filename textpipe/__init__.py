"""From a list of URLs to a trained language model, Korean and English first.

Importing this package loads no torch, opens no file and starts no thread: names below are imported when first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textpipe import decoders, implementations, models, normalizers, pre_tokenizers, processors, trainers
    from textpipe.encoding import Encoding
    from textpipe.implementations import (
        BertWordPieceTokenizer,
        ByteLevelBPETokenizer,
        CharBPETokenizer,
        SentencePieceBPETokenizer,
        SentencePieceUnigramTokenizer,
    )
    from textpipe.models import Token
    from textpipe.models.added_tokens import AddedToken
    from textpipe.normalizers import NormalizedString
    from textpipe.pre_tokenizers import PreTokenizedString
    from textpipe.records import Document, Page
    from textpipe.stages.pattern import Regex
    from textpipe.tokenizer import Tokenizer
    from textpipe.tokenizer.choices import (
        EncodeInput,
        InputSequence,
        OffsetReferential,
        Offsets,
        OffsetType,
        PreTokenizedEncodeInput,
        PreTokenizedInputSequence,
        SplitDelimiterBehavior,
        TextEncodeInput,
        TextInputSequence,
    )
    from textpipe.tokenizer.special_text import Special, Text

__version__ = "0.1.0"

__all__ = [
    "AddedToken",
    "BertWordPieceTokenizer",
    "ByteLevelBPETokenizer",
    "CharBPETokenizer",
    "Document",
    "EncodeInput",
    "Encoding",
    "InputSequence",
    "NormalizedString",
    "OffsetReferential",
    "OffsetType",
    "Offsets",
    "Page",
    "PreTokenizedEncodeInput",
    "PreTokenizedInputSequence",
    "PreTokenizedString",
    "Regex",
    "SentencePieceBPETokenizer",
    "SentencePieceUnigramTokenizer",
    "Special",
    "SplitDelimiterBehavior",
    "Text",
    "TextEncodeInput",
    "TextInputSequence",
    "Token",
    "Tokenizer",
    "__version__",
    "decoders",
    "implementations",
    "models",
    "normalizers",
    "pre_tokenizers",
    "processors",
    "trainers",
]

_PACKAGES = ("decoders", "implementations", "models", "normalizers", "pre_tokenizers", "processors", "trainers")
_HOMES = {
    "textpipe.models.added_tokens": "AddedToken",
    "textpipe.tokenizer.choices": "EncodeInput InputSequence OffsetReferential OffsetType Offsets "
    "PreTokenizedEncodeInput PreTokenizedInputSequence SplitDelimiterBehavior TextEncodeInput TextInputSequence",
    "textpipe.tokenizer.special_text": "Special Text",
    "textpipe.encoding": "Encoding",
    "textpipe.implementations": "BertWordPieceTokenizer ByteLevelBPETokenizer CharBPETokenizer "
    "SentencePieceBPETokenizer SentencePieceUnigramTokenizer",
    "textpipe.models": "Token",
    "textpipe.normalizers": "NormalizedString",
    "textpipe.stages.pattern": "Regex",
    "textpipe.pre_tokenizers": "PreTokenizedString",
    "textpipe.records": "Document Page",
    "textpipe.tokenizer": "Tokenizer",
}
_HOME = {name: home for home, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return importlib.import_module(f"textpipe.{name}")
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module 'textpipe' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
