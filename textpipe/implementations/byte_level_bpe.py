"""Byte-level byte-pair encoding, as GPT-2 has it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from textpipe.decoders import ByteLevel as ByteLevelDecoder
from textpipe.implementations.base import BaseTokenizer, normalizer_of
from textpipe.models import BPE
from textpipe.models.added_tokens import AddedToken
from textpipe.models.vocabulary_files import MergesOrPath, VocabOrPath
from textpipe.normalizers import Lowercase
from textpipe.pre_tokenizers import ByteLevel
from textpipe.processors import ByteLevel as ByteLevelProcessor
from textpipe.tokenizer import Tokenizer
from textpipe.trainers import BpeTrainer

__all__ = ["ByteLevelBPETokenizer"]


class ByteLevelBPETokenizer(BaseTokenizer):
    """Byte-pair encoding of bytes, of words cut as GPT-2 does.

    >>> tokenizer = ByteLevelBPETokenizer()
    >>> tokenizer.train_from_iterator(["한국어 한국어"], vocab_size=262, show_progress=False)
    >>> tokenizer.decode(tokenizer.encode("한국어").ids)
    '한국어'
    """

    def __init__(  # noqa: PLR0917  (the order of `tokenizers`)
        self,
        vocab: VocabOrPath | None = None,
        merges: MergesOrPath | None = None,
        add_prefix_space: bool = False,
        lowercase: bool = False,
        dropout: float | None = None,
        unicode_normalizer: str | None = None,
        continuing_subword_prefix: str | None = None,
        end_of_word_suffix: str | None = None,
        trim_offsets: bool = False,
    ) -> None:
        model = BPE()
        if vocab is not None and merges is not None:
            prefix, suffix = continuing_subword_prefix or "", end_of_word_suffix or ""
            model = BPE(vocab, merges, dropout=dropout, continuing_subword_prefix=prefix, end_of_word_suffix=suffix)
        tokenizer = Tokenizer(model)
        tokenizer.normalizer = normalizer_of(unicode_normalizer, *([Lowercase()] if lowercase else []))
        tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=add_prefix_space)
        tokenizer.decoder = ByteLevelDecoder()
        tokenizer.post_processor = ByteLevelProcessor(trim_offsets=trim_offsets)
        parameters = {
            "model": "ByteLevelBPE",
            "add_prefix_space": add_prefix_space,
            "lowercase": lowercase,
            "dropout": dropout,
            "unicode_normalizer": unicode_normalizer,
            "continuing_subword_prefix": continuing_subword_prefix,
            "end_of_word_suffix": end_of_word_suffix,
            "trim_offsets": trim_offsets,
        }
        super().__init__(tokenizer, parameters)

    @staticmethod
    def from_file(vocab_filename: str, merges_filename: str, **kwargs: Any) -> ByteLevelBPETokenizer:  # type: ignore[override]
        """Read vocab.json and merges.txt."""
        return ByteLevelBPETokenizer(*BPE.read_file(vocab_filename, merges_filename), **kwargs)

    def train(  # type: ignore[override]
        self,
        files: str | list[str],
        vocab_size: int = 30000,
        min_frequency: int = 2,
        show_progress: bool = True,
        special_tokens: Iterable[str | AddedToken] = (),
    ) -> None:
        """Learn the model from files."""
        trainer = self._trainer(vocab_size, min_frequency, show_progress, special_tokens)
        super().train(files, trainer)

    def train_from_iterator(  # type: ignore[override]  # noqa: PLR0917  (the order of `tokenizers`)
        self,
        iterator: Iterable[str] | Iterable[list[str]],
        vocab_size: int = 30000,
        min_frequency: int = 2,
        show_progress: bool = True,
        special_tokens: Iterable[str | AddedToken] = (),
        length: int | None = None,
    ) -> None:
        """Learn the model from strings or lists of strings."""
        trainer = self._trainer(vocab_size, min_frequency, show_progress, special_tokens)
        super().train_from_iterator(iterator, trainer, length)

    @staticmethod
    def _trainer(
        vocab_size: int, min_frequency: int, show_progress: bool, special_tokens: Iterable[str | AddedToken]
    ) -> BpeTrainer:
        return BpeTrainer(
            vocab_size=vocab_size,
            min_frequency=min_frequency,
            show_progress=show_progress,
            special_tokens=tuple(special_tokens),
            initial_alphabet=tuple(ByteLevel.alphabet()),
        )
