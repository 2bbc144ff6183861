"""Post-processors: the tokens a model expects around a text."""

from __future__ import annotations

from textpipe.processors.base import PostProcessor
from textpipe.processors.byte_level import ByteLevel
from textpipe.processors.template import Piece, SpecialToken, TemplateProcessing

__all__ = ["ByteLevel", "Piece", "PostProcessor", "SpecialToken", "TemplateProcessing"]
