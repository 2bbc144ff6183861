"""Text → token shards → batches; a batch is a pure function of (seed, step).

packing        documents and a tokenizer → a folder of shards, split into train and val
shards         the file format, and a split read as one ring of tokens
permutation    a shuffle by arithmetic
batches        (seed, step) → tokens and targets
masking        (seed, step) → tokens with some hidden, and what they were
parallel_text  files of pairs
labelled_text  files of texts, or pairs of texts, with a label each
tagged_text    files of words or characters with a tag each
question_text  files of texts with questions and where they are answered
example_files  any of these, by task and format
framing        the special tokens that stand around texts
dialogues      files of dialogues, and their messages with what was said before
training_data  what a run notes of any of these
pairs          pairs and tokenizers → aligned shards
pair_plans     (seed, step) → pairs of like length
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textpipe.data.batches import Batch, BatchPlan
    from textpipe.data.packing import PackConfig, PackedData, pack
    from textpipe.data.pairs import PackedPairs, pack_pairs
    from textpipe.data.shards import TokenShard, TokenSplit

_HOME = {
    "Batch": "batches",
    "BatchPlan": "batches",
    "PackConfig": "packing",
    "PackedData": "packing",
    "PackedPairs": "pairs",
    "TokenShard": "shards",
    "TokenSplit": "shards",
    "pack": "packing",
    "pack_pairs": "pairs",
}

__all__ = [
    "Batch",
    "BatchPlan",
    "PackConfig",
    "PackedData",
    "PackedPairs",
    "TokenShard",
    "TokenSplit",
    "pack",
    "pack_pairs",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"textpipe.data.{_HOME[name]}"), name)
    raise AttributeError(f"module 'textpipe.data' has no attribute {name!r}")
