"""Our models as those of `transformers`, and back.

families      which of their configurations is which shape
heads         what a fine-tuned encoder tells
names         which parameter is which
weight_files  safetensors, one file or several
exporting     a model as a folder that they load
importing     their folder as a model
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textpipe.interchange.exporting import export_model
    from textpipe.interchange.importing import ModelFolder

_HOME = {"ModelFolder": "importing", "export_model": "exporting"}

__all__ = ["ModelFolder", "export_model"]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"textpipe.interchange.{_HOME[name]}"), name)
    raise AttributeError(f"module 'textpipe.interchange' has no attribute {name!r}")
