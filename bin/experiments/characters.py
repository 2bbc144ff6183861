"""Vocabularies of experiments: of single characters and of words, as some are published with, or of merged bytes.

What enters: texts. What leaves: a tokenizer whose entries are the end of a text, the unknown where there is one, and
what occurs in them.
"""

from __future__ import annotations

from collections.abc import Iterable

from textpipe import Tokenizer
from textpipe.decoders import ByteLevel as ByteLevelDecoder
from textpipe.decoders import Fuse
from textpipe.models import BPE, WordLevel
from textpipe.normalizers import NFC
from textpipe.pre_tokenizers import ByteLevel, WhitespaceSplit
from textpipe.trainers import BpeTrainer

__all__ = ["END", "bytes_of", "characters_of", "words_of"]

END, UNKNOWN = "<|endoftext|>", "<|unknown|>"


def _entries(found: Iterable[str]) -> dict[str, int]:
    return {piece: number for number, piece in enumerate([END, UNKNOWN, *sorted(set(found))])}


def characters_of(texts: Iterable[str]) -> Tokenizer:
    """A tokenizer of the characters of these texts: byte pairs of which none is merged."""
    found: set[str] = set()
    for text in texts:
        found.update(text)
    tokenizer = Tokenizer(BPE(vocab=_entries(found), merges=[], unk_token=UNKNOWN))
    tokenizer.decoder = Fuse()
    tokenizer.add_special_tokens([END])
    return tokenizer


def bytes_of(texts: Iterable[str], size: int) -> Tokenizer:
    """A byte-level tokenizer of so many entries, learned from these texts."""
    tokenizer = Tokenizer(BPE())
    tokenizer.normalizer, tokenizer.pre_tokenizer = NFC(), ByteLevel(add_prefix_space=False)
    tokenizer.decoder = ByteLevelDecoder()
    alphabet = ByteLevel.alphabet()
    trainer = BpeTrainer(vocab_size=size, special_tokens=[END], initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def words_of(words: Iterable[str]) -> Tokenizer:
    """A tokenizer of these words, which stand in texts with spaces between."""
    tokenizer = Tokenizer(WordLevel(vocab=_entries(words), unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    tokenizer.add_special_tokens([END])
    return tokenizer
