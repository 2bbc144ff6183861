"""Byte-pair encoding of characters, as the first GPT had it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from textpipe.decoders import BPEDecoder
from textpipe.implementations.base import BaseTokenizer, normalizer_of
from textpipe.models import BPE
from textpipe.models.added_tokens import AddedToken
from textpipe.models.vocabulary_files import MergesOrPath, VocabOrPath
from textpipe.normalizers import BertNormalizer, Lowercase, Normalizer
from textpipe.pre_tokenizers import BertPreTokenizer, WhitespaceSplit
from textpipe.tokenizer import Tokenizer
from textpipe.trainers import BpeTrainer

__all__ = ["CharBPETokenizer"]


class CharBPETokenizer(BaseTokenizer):
    """Byte-pair encoding of characters, a suffix at the end of each word.

    >>> tokenizer = CharBPETokenizer()
    >>> tokenizer.train_from_iterator(["나무 나무"], vocab_size=10, min_frequency=1, show_progress=False)
    >>> tokenizer.encode("나무").tokens
    ['나무</w>']
    """

    def __init__(  # noqa: PLR0917  (the order of `tokenizers`)
        self,
        vocab: VocabOrPath | None = None,
        merges: MergesOrPath | None = None,
        unk_token: str | AddedToken = "<unk>",
        suffix: str = "</w>",
        dropout: float | None = None,
        lowercase: bool = False,
        unicode_normalizer: str | None = None,
        bert_normalizer: bool = True,
        split_on_whitespace_only: bool = False,
    ) -> None:
        if vocab is None or merges is None:
            vocab = merges = None
        model = BPE(vocab, merges, dropout=dropout, unk_token=str(unk_token), end_of_word_suffix=suffix)
        tokenizer = Tokenizer(model)
        if model.token_to_id(str(unk_token)) is not None:
            tokenizer.add_special_tokens([str(unk_token)])
        others: list[Normalizer] = [BertNormalizer(lowercase=False)] if bert_normalizer else []
        tokenizer.normalizer = normalizer_of(unicode_normalizer, *others, *([Lowercase()] if lowercase else []))
        tokenizer.pre_tokenizer = WhitespaceSplit() if split_on_whitespace_only else BertPreTokenizer()
        tokenizer.decoder = BPEDecoder(suffix=suffix)
        parameters = {
            "model": "BPE",
            "unk_token": unk_token,
            "suffix": suffix,
            "dropout": dropout,
            "lowercase": lowercase,
            "unicode_normalizer": unicode_normalizer,
            "bert_normalizer": bert_normalizer,
            "split_on_whitespace_only": split_on_whitespace_only,
        }
        super().__init__(tokenizer, parameters)

    @staticmethod
    def from_file(vocab_filename: str, merges_filename: str, **kwargs: Any) -> CharBPETokenizer:  # type: ignore[override]
        """Read vocab.json and merges.txt."""
        return CharBPETokenizer(*BPE.read_file(vocab_filename, merges_filename), **kwargs)

    def train(  # type: ignore[override]  # noqa: PLR0917  (the order of `tokenizers`)
        self,
        files: str | list[str],
        vocab_size: int = 30000,
        min_frequency: int = 2,
        special_tokens: Iterable[str | AddedToken] = ("<unk>",),
        limit_alphabet: int = 1000,
        initial_alphabet: Iterable[str] = (),
        suffix: str | None = "</w>",
        show_progress: bool = True,
    ) -> None:
        """Learn the model from files."""
        trainer = BpeTrainer(
            vocab_size=vocab_size,
            min_frequency=min_frequency,
            special_tokens=tuple(special_tokens),
            limit_alphabet=limit_alphabet,
            initial_alphabet=tuple(initial_alphabet),
            end_of_word_suffix=suffix,
            show_progress=show_progress,
        )
        super().train(files, trainer)

    def train_from_iterator(  # type: ignore[override]  # noqa: PLR0917  (the order of `tokenizers`)
        self,
        iterator: Iterable[str] | Iterable[list[str]],
        vocab_size: int = 30000,
        min_frequency: int = 2,
        special_tokens: Iterable[str | AddedToken] = ("<unk>",),
        limit_alphabet: int = 1000,
        initial_alphabet: Iterable[str] = (),
        suffix: str | None = "</w>",
        show_progress: bool = True,
        length: int | None = None,
    ) -> None:
        """Learn the model from strings or lists of strings."""
        trainer = BpeTrainer(
            vocab_size=vocab_size,
            min_frequency=min_frequency,
            special_tokens=tuple(special_tokens),
            limit_alphabet=limit_alphabet,
            initial_alphabet=tuple(initial_alphabet),
            end_of_word_suffix=suffix,
            show_progress=show_progress,
        )
        super().train_from_iterator(iterator, trainer, length)
