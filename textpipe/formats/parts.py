"""What a tokenizer is made of: the value that every format reads and writes.

What enters and leaves: the model and the stages around it, each frozen. A format that has no place for one of them
says so before it writes (:func:`textpipe.formats.losses`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from textpipe.decoders import Decoder
from textpipe.encoding.padding import Padding
from textpipe.encoding.truncation import Truncation
from textpipe.models import Model
from textpipe.models.added_tokens import AddedVocabulary
from textpipe.normalizers import Normalizer
from textpipe.pre_tokenizers import PreTokenizer
from textpipe.processors import PostProcessor

__all__ = ["Parts"]


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of one tokenizer."""

    model: Model
    added: AddedVocabulary
    normalizer: Normalizer | None = None
    pre_tokenizer: PreTokenizer | None = None
    post_processor: PostProcessor | None = None
    decoder: Decoder | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What a folder of `transformers` says beside the parts: roles of special tokens, a chat template, …"""
    padding: Padding | None = None
    truncation: Truncation | None = None
