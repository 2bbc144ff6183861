"""Writing text with a trained model.

sampling   from logits to one id: temperature, top-k, top-p
whole_characters   which tokens keep a text UTF-8
decoding   prompts in, ids or text out; a cache of keys and values; streaming
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textpipe.generation.decoding import generate, stream
    from textpipe.generation.sampling import SamplingConfig

_HOME = {"SamplingConfig": "sampling", "generate": "decoding", "stream": "decoding"}

__all__ = ["SamplingConfig", "generate", "stream"]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"textpipe.generation.{_HOME[name]}"), name)
    raise AttributeError(f"module 'textpipe.generation' has no attribute {name!r}")
