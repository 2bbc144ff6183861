"""Post-processors: the tokens a model expects around a text."""

from __future__ import annotations

from textpipe.processors.base import PostProcessor
from textpipe.processors.bert import BertProcessing
from textpipe.processors.byte_level import ByteLevel
from textpipe.processors.roberta import RobertaProcessing
from textpipe.processors.sequence import Sequence
from textpipe.processors.template import Piece, SpecialToken, TemplateProcessing

__all__ = [
    "BertProcessing",
    "ByteLevel",
    "Piece",
    "PostProcessor",
    "RobertaProcessing",
    "Sequence",
    "SpecialToken",
    "TemplateProcessing",
]
