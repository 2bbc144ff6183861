"""WordPiece with BERT's clean-up, words and special tokens."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from textpipe.decoders import WordPiece as WordPieceDecoder
from textpipe.errors import InputError
from textpipe.implementations.base import BaseTokenizer
from textpipe.models import WordPiece
from textpipe.models.added_tokens import AddedToken
from textpipe.models.vocabulary_files import VocabOrPath
from textpipe.normalizers import BertNormalizer
from textpipe.pre_tokenizers import BertPreTokenizer
from textpipe.processors import BertProcessing
from textpipe.tokenizer import Tokenizer
from textpipe.trainers import WordPieceTrainer

__all__ = ["BertWordPieceTokenizer"]

_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


class BertWordPieceTokenizer(BaseTokenizer):
    """WordPiece as BERT has it.

    Raises
    ------
    InputError
        when a vocabulary is given that lacks ``sep_token`` or ``cls_token``.

    Examples
    --------
    >>> vocab = {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "hello": 3, "##s": 4}
    >>> BertWordPieceTokenizer(vocab).encode("Hellos").tokens
    ['[CLS]', 'hello', '##s', '[SEP]']
    """

    def __init__(  # noqa: PLR0917  (the order of `tokenizers`)
        self,
        vocab: VocabOrPath | None = None,
        unk_token: str | AddedToken = "[UNK]",
        sep_token: str | AddedToken = "[SEP]",
        cls_token: str | AddedToken = "[CLS]",
        pad_token: str | AddedToken = "[PAD]",
        mask_token: str | AddedToken = "[MASK]",
        clean_text: bool = True,
        handle_chinese_chars: bool = True,
        strip_accents: bool | None = None,
        lowercase: bool = True,
        wordpieces_prefix: str = "##",
    ) -> None:
        tokenizer = Tokenizer(WordPiece(vocab, unk_token=str(unk_token)))
        for token in (unk_token, sep_token, cls_token, pad_token, mask_token):
            if tokenizer.token_to_id(str(token)) is not None:
                tokenizer.add_special_tokens([str(token)])
        tokenizer.normalizer = BertNormalizer(clean_text, handle_chinese_chars, strip_accents, lowercase)
        tokenizer.pre_tokenizer = BertPreTokenizer()
        if vocab is not None:
            tokenizer.post_processor = BertProcessing(_known(tokenizer, sep_token), _known(tokenizer, cls_token))
        tokenizer.decoder = WordPieceDecoder(prefix=wordpieces_prefix)
        parameters = {
            "model": "BertWordPiece",
            "unk_token": unk_token,
            "sep_token": sep_token,
            "cls_token": cls_token,
            "pad_token": pad_token,
            "mask_token": mask_token,
            "clean_text": clean_text,
            "handle_chinese_chars": handle_chinese_chars,
            "strip_accents": strip_accents,
            "lowercase": lowercase,
            "wordpieces_prefix": wordpieces_prefix,
        }
        super().__init__(tokenizer, parameters)

    @staticmethod
    def from_file(vocab: str, **kwargs: Any) -> BertWordPieceTokenizer:  # type: ignore[override]
        """Read vocab.txt."""
        return BertWordPieceTokenizer(WordPiece.read_file(vocab), **kwargs)

    def train(  # type: ignore[override]  # noqa: PLR0917  (the order of `tokenizers`)
        self,
        files: str | list[str],
        vocab_size: int = 30000,
        min_frequency: int = 2,
        limit_alphabet: int = 1000,
        initial_alphabet: Iterable[str] = (),
        special_tokens: Iterable[str | AddedToken] = _SPECIAL,
        show_progress: bool = True,
        wordpieces_prefix: str = "##",
    ) -> None:
        """Learn the model from files."""
        trainer = WordPieceTrainer(
            vocab_size=vocab_size,
            min_frequency=min_frequency,
            limit_alphabet=limit_alphabet,
            initial_alphabet=tuple(initial_alphabet),
            special_tokens=tuple(special_tokens),
            show_progress=show_progress,
            continuing_subword_prefix=wordpieces_prefix,
        )
        super().train(files, trainer)

    def train_from_iterator(  # type: ignore[override]  # noqa: PLR0917  (the order of `tokenizers`)
        self,
        iterator: Iterable[str] | Iterable[list[str]],
        vocab_size: int = 30000,
        min_frequency: int = 2,
        limit_alphabet: int = 1000,
        initial_alphabet: Iterable[str] = (),
        special_tokens: Iterable[str | AddedToken] = _SPECIAL,
        show_progress: bool = True,
        wordpieces_prefix: str = "##",
        length: int | None = None,
    ) -> None:
        """Learn the model from strings or lists of strings."""
        trainer = WordPieceTrainer(
            vocab_size=vocab_size,
            min_frequency=min_frequency,
            limit_alphabet=limit_alphabet,
            initial_alphabet=tuple(initial_alphabet),
            special_tokens=tuple(special_tokens),
            show_progress=show_progress,
            continuing_subword_prefix=wordpieces_prefix,
        )
        super().train_from_iterator(iterator, trainer, length)


def _known(tokenizer: Tokenizer, token: str | AddedToken) -> tuple[str, int]:
    number = tokenizer.token_to_id(str(token))
    if number is None:
        raise InputError(f'the vocabulary lacks the token "{token}"', hint="name another, or add it to the vocabulary")
    return str(token), number
