"""Byte-pair encoding of words that carry their space, as sentencepiece cuts them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from textpipe.decoders import Metaspace as MetaspaceDecoder
from textpipe.implementations.base import BaseTokenizer
from textpipe.models import BPE
from textpipe.models.added_tokens import AddedToken
from textpipe.models.vocabulary_files import MergesOrPath, VocabOrPath
from textpipe.normalizers import NFKC
from textpipe.pre_tokenizers import Metaspace
from textpipe.tokenizer import Tokenizer
from textpipe.trainers import BpeTrainer

__all__ = ["SentencePieceBPETokenizer"]


class SentencePieceBPETokenizer(BaseTokenizer):
    """Byte-pair encoding of words with a visible space before.

    >>> tokenizer = SentencePieceBPETokenizer()
    >>> tokenizer.train_from_iterator(["나무 나무"], vocab_size=10, min_frequency=1, show_progress=False)
    >>> tokenizer.encode("나무").tokens
    ['▁나무']
    """

    def __init__(  # noqa: PLR0917  (the order of `tokenizers`)
        self,
        vocab: VocabOrPath | None = None,
        merges: MergesOrPath | None = None,
        unk_token: str | AddedToken = "<unk>",
        replacement: str = "▁",
        add_prefix_space: bool = True,
        dropout: float | None = None,
        fuse_unk: bool | None = False,
    ) -> None:
        if vocab is None or merges is None:
            vocab = merges = None
        model = BPE(vocab, merges, dropout=dropout, unk_token=str(unk_token), fuse_unk=fuse_unk)
        tokenizer = Tokenizer(model)
        if model.token_to_id(str(unk_token)) is not None:
            tokenizer.add_special_tokens([str(unk_token)])
        tokenizer.normalizer = NFKC()
        scheme = "always" if add_prefix_space else "never"
        tokenizer.pre_tokenizer = Metaspace(replacement=replacement, prepend_scheme=scheme)
        tokenizer.decoder = MetaspaceDecoder(replacement=replacement, prepend_scheme=scheme)
        parameters = {
            "model": "SentencePieceBPE",
            "unk_token": unk_token,
            "replacement": replacement,
            "add_prefix_space": add_prefix_space,
            "dropout": dropout,
        }
        super().__init__(tokenizer, parameters)

    @staticmethod
    def from_file(vocab_filename: str, merges_filename: str, **kwargs: Any) -> SentencePieceBPETokenizer:  # type: ignore[override]
        """Read vocab.json and merges.txt."""
        return SentencePieceBPETokenizer(*BPE.read_file(vocab_filename, merges_filename), **kwargs)

    def train(  # type: ignore[override]  # noqa: PLR0917  (the order of `tokenizers`)
        self,
        files: str | list[str],
        vocab_size: int = 30000,
        min_frequency: int = 2,
        special_tokens: Iterable[str | AddedToken] = ("<unk>",),
        limit_alphabet: int = 1000,
        initial_alphabet: Iterable[str] = (),
        show_progress: bool = True,
    ) -> None:
        """Learn the model from files."""
        trainer = BpeTrainer(
            vocab_size=vocab_size,
            min_frequency=min_frequency,
            special_tokens=tuple(special_tokens),
            limit_alphabet=limit_alphabet,
            initial_alphabet=tuple(initial_alphabet),
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
            show_progress=show_progress,
        )
        super().train_from_iterator(iterator, trainer, length)
