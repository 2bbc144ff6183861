"""Unigram over words that carry their space, as sentencepiece cuts them."""

from __future__ import annotations

from collections.abc import Iterable

from textpipe.decoders import Metaspace as MetaspaceDecoder
from textpipe.implementations.base import BaseTokenizer
from textpipe.models import Unigram
from textpipe.models.added_tokens import AddedToken
from textpipe.normalizers import NFKC, Nmt, Replace, Sequence
from textpipe.pre_tokenizers import Metaspace
from textpipe.stages.pattern import Regex
from textpipe.tokenizer import Tokenizer
from textpipe.trainers import UnigramTrainer

__all__ = ["SentencePieceUnigramTokenizer"]


class SentencePieceUnigramTokenizer(BaseTokenizer):
    """The likeliest pieces of words with a visible space before.

    >>> rows = [("▁한국", -1.0), ("어", -2.0), ("▁", -3.0), ("한", -4.0), ("국", -4.0)]
    >>> tokenizer = SentencePieceUnigramTokenizer(rows)
    >>> tokenizer.encode("한국어").tokens
    ['▁한국', '어']
    """

    def __init__(
        self,
        vocab: Iterable[tuple[str, float]] | None = None,
        replacement: str = "▁",
        add_prefix_space: bool = True,
    ) -> None:
        tokenizer = Tokenizer(Unigram(vocab))
        tokenizer.normalizer = Sequence([Nmt(), NFKC(), Replace(Regex(" {2,}"), " ")])
        scheme = "always" if add_prefix_space else "never"
        tokenizer.pre_tokenizer = Metaspace(replacement=replacement, prepend_scheme=scheme)
        tokenizer.decoder = MetaspaceDecoder(replacement=replacement, prepend_scheme=scheme)
        parameters = {
            "model": "SentencePieceUnigram",
            "replacement": replacement,
            "add_prefix_space": add_prefix_space,
        }
        super().__init__(tokenizer, parameters)

    @staticmethod
    def from_spm(filename: str) -> BaseTokenizer:
        """Read a sentencepiece .model; its pieces are those of sentencepiece itself."""
        return BaseTokenizer(Tokenizer.from_file(filename), {"model": "SentencePieceUnigram"})

    def train(  # type: ignore[override]  # noqa: PLR0917  (the order of `tokenizers`)
        self,
        files: str | list[str],
        vocab_size: int = 8000,
        show_progress: bool = True,
        special_tokens: Iterable[str | AddedToken] | None = None,
        initial_alphabet: Iterable[str] | None = None,
        unk_token: str | None = None,
    ) -> None:
        """Learn the model from files."""
        trainer = _trainer(vocab_size, show_progress, special_tokens, initial_alphabet, unk_token)
        super().train(files, trainer)

    def train_from_iterator(  # type: ignore[override]  # noqa: PLR0917  (the order of `tokenizers`)
        self,
        iterator: Iterable[str] | Iterable[list[str]],
        vocab_size: int = 8000,
        show_progress: bool = True,
        special_tokens: Iterable[str | AddedToken] | None = None,
        initial_alphabet: Iterable[str] | None = None,
        unk_token: str | None = None,
        length: int | None = None,
    ) -> None:
        """Learn the model from strings or lists of strings."""
        trainer = _trainer(vocab_size, show_progress, special_tokens, initial_alphabet, unk_token)
        super().train_from_iterator(iterator, trainer, length)


def _trainer(
    vocab_size: int,
    show_progress: bool,
    special_tokens: Iterable[str | AddedToken] | None,
    initial_alphabet: Iterable[str] | None,
    unk_token: str | None,
) -> UnigramTrainer:
    return UnigramTrainer(
        vocab_size=vocab_size,
        show_progress=show_progress,
        special_tokens=tuple(special_tokens or ()),
        initial_alphabet=tuple(initial_alphabet or ()),
        unk_token=unk_token,
    )
