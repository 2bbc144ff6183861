"""From a list of URLs to a trained language model, Korean and English first.

Importing this package loads no torch, opens no file and starts no thread: names below are imported when first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textpipe.encoding import Encoding
    from textpipe.records import Document, Page
    from textpipe.tokenizer import AddedToken, Tokenizer

__version__ = "0.1.0"

_HOME = {
    "AddedToken": "textpipe.tokenizer",
    "Document": "textpipe.records",
    "Encoding": "textpipe.encoding",
    "Page": "textpipe.records",
    "Tokenizer": "textpipe.tokenizer",
}

__all__ = ["AddedToken", "Document", "Encoding", "Page", "Tokenizer", "__version__"]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module 'textpipe' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
