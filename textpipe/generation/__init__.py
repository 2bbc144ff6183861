"""Writing text with a trained model.

sampling          from logits to one id: penalties, temperature, top-k, top-p, min-p
whole_characters  which tokens keep a text UTF-8
stop_strings      where a text ends because of what it says
decoding          prompts or sources in, ids or text out; streaming
writing           one step of writing, for a decoder alone and for one with a source
beam              the likeliest texts that a few hypotheses at a time can find
filling           what an encoder puts in place of masks
translation       ids of sources in, ids of targets out
translating       sources in, targets out, with scores and alignments
attended          where a model looked while it wrote
conversation      messages in, answers out, with what was said before
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textpipe.generation.beam import BeamConfig
    from textpipe.generation.decoding import TextWriter, generate, stream
    from textpipe.generation.sampling import SamplingConfig

_HOME = {
    "BeamConfig": "beam",
    "SamplingConfig": "sampling",
    "TextWriter": "decoding",
    "generate": "decoding",
    "stream": "decoding",
}

__all__ = ["BeamConfig", "SamplingConfig", "TextWriter", "generate", "stream"]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"textpipe.generation.{_HOME[name]}"), name)
    raise AttributeError(f"module 'textpipe.generation' has no attribute {name!r}")
