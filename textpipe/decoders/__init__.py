"""Decoders: pieces in, text out."""

from __future__ import annotations

from textpipe.decoders.base import Decoder
from textpipe.decoders.byte_level import ByteLevel
from textpipe.decoders.stream import DecodeStream

__all__ = ["ByteLevel", "DecodeStream", "Decoder"]
