"""Vocabularies of single characters, and of words, for experiments that are published with them.

What enters: texts. What leaves: a tokenizer whose entries are the end of a text, the unknown, and what occurs in them.
"""

from __future__ import annotations

from collections.abc import Iterable

from textpipe import Tokenizer
from textpipe.decoders import Fuse
from textpipe.models import BPE, WordLevel
from textpipe.pre_tokenizers import WhitespaceSplit

__all__ = ["END", "characters_of", "words_of"]

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


def words_of(words: Iterable[str]) -> Tokenizer:
    """A tokenizer of these words, which stand in texts with spaces between."""
    tokenizer = Tokenizer(WordLevel(vocab=_entries(words), unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    tokenizer.add_special_tokens([END])
    return tokenizer
