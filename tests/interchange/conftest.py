"""Tokenizers for the models of :mod:`family_models`. One thread: these models are small."""

from __future__ import annotations

import pytest
import torch

from textpipe.models import WordLevel
from textpipe.pre_tokenizers import WhitespaceSplit
from textpipe.tokenizer import Tokenizer

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def word_tokenizer():
    """300 whole words, with BERT's marks."""
    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "<|endoftext|>"]
    words = [*marks, *(f"낱말{n}" for n in range(400 - len(marks)))]
    made = Tokenizer(WordLevel({word: number for number, word in enumerate(words)}, unk_token="[UNK]"))
    made.pre_tokenizer = WhitespaceSplit()
    made.add_special_tokens(marks)
    return made


@pytest.fixture(scope="session")
def source_tokenizer():
    """300 whole words for sources, eos in another place than the targets have it."""
    words = ["[UNK]", *(f"s{n}" for n in range(298)), "<|endoftext|>"]
    made = Tokenizer(WordLevel({word: number for number, word in enumerate(words)}, unk_token="[UNK]"))
    made.pre_tokenizer = WhitespaceSplit()
    made.add_special_tokens(["[UNK]", "<|endoftext|>"])
    return made
