"""Models: a word in, its tokens out."""

from __future__ import annotations

from textpipe.models.bpe import BPE, Token

__all__ = ["BPE", "Token"]
