"""The stages and the trainer that settings stand for.

What enters: a :class:`~textpipe.vocabulary.config.VocabConfig`. What leaves: a tokenizer without a vocabulary, and the
trainer that will learn one for it; later the same tokenizer with what was learned.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from textpipe import decoders, normalizers, pre_tokenizers, processors
from textpipe.decoders import Decoder
from textpipe.errors import InputError
from textpipe.formats.encodings import ENCODINGS
from textpipe.models import BPE, Model, Unigram, WordLevel, WordPiece
from textpipe.normalizers import Normalizer
from textpipe.pre_tokenizers import PreTokenizer
from textpipe.stages.pattern import Regex
from textpipe.tokenizer import Tokenizer
from textpipe.trainers import (
    BpeTrainer,
    SentencePieceBpeTrainer,
    UnigramTrainer,
    VocabularyTrainer,
    WordLevelTrainer,
    WordPieceTrainer,
)
from textpipe.vocabulary.config import VocabConfig

__all__ = ["SentencePieceTrainer", "finish", "make_tokenizer", "with_spans"]

SentencePieceTrainer = UnigramTrainer | SentencePieceBpeTrainer


def make_tokenizer(config: VocabConfig) -> tuple[Tokenizer, VocabularyTrainer]:
    """An untrained tokenizer with the stages of ``config``, and the trainer for it.

    Raises
    ------
    InputError
        when ``vocab_size`` does not even hold what every such vocabulary begins with.
    """
    config = _with_unknown(config)
    tokenizer = Tokenizer(_MODELS[config.model](config))
    make = _NORMALIZERS[config.normalizer]
    tokenizer.normalizer = None if make is None else make()
    words = _pre_tokenizer(config)
    # what is learned of words must fit into the spans that words are joined in
    tokenizer.pre_tokenizer = words if config.superwords is None else pre_tokenizers.Sequence([*_span_cuts(), words])
    tokenizer.decoder = _decoder(config)
    if config.byte_level:
        tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    trainer = _trainer(config)
    _refuse_too_small(trainer)
    return tokenizer, trainer


def with_spans(tokenizer: Tokenizer) -> Tokenizer:
    """The same tokenizer, but that words are not cut apart: only digits and punctuation stand by themselves."""
    spans = Tokenizer(tokenizer.model)
    spans.normalizer = tokenizer.normalizer
    bytes_only = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    spans.pre_tokenizer = pre_tokenizers.Sequence([*_span_cuts(), bytes_only])
    spans.post_processor = tokenizer.post_processor
    spans.decoder = tokenizer.decoder
    return spans


def _span_cuts() -> list[PreTokenizer]:
    return [pre_tokenizers.Digits(), pre_tokenizers.Punctuation("contiguous")]


def finish(tokenizer: Tokenizer, model: Model, config: VocabConfig, special_tokens: list[Any]) -> Tokenizer:
    """The tokenizer with its model, its special tokens and the template around a text."""
    tokenizer.model = model
    if config.pre_tokenizer == "ko-morpheme" and config.superwords is None:
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)  # runs anywhere, without analyser
    tokenizer.add_special_tokens(special_tokens)
    if config.template:
        tokenizer.post_processor = _template(config.template, tokenizer)
    return tokenizer


def _with_unknown(config: VocabConfig) -> VocabConfig:
    """Every vocabulary that is not made of bytes has a token for what it cannot spell."""
    unk = config.unk_token
    if unk is None:
        if config.byte_level and config.model == "bpe":
            return config
        unk = "<unk>"
    if unk in config.special_tokens:
        return config.model_copy(update={"unk_token": unk})
    return config.model_copy(update={"unk_token": unk, "special_tokens": (unk, *config.special_tokens)})


_MODELS: Mapping[str, Callable[[VocabConfig], Model]] = {
    "bpe": lambda config: BPE(unk_token=config.unk_token),
    "unigram": lambda config: Unigram(),
    "wordpiece": lambda config: WordPiece(unk_token=str(config.unk_token)),
    "wordlevel": lambda config: WordLevel(unk_token=str(config.unk_token)),
}

_NORMALIZERS: Mapping[str, Callable[[], Normalizer] | None] = {
    "none": None,
    "nfc": normalizers.NFC,
    "nfd": normalizers.NFD,
    "nfkc": normalizers.NFKC,
    "nfkd": normalizers.NFKD,
    # stripping accents, which goes with lower case where it is not said, would take Hangul syllables apart
    "bert": lambda: normalizers.BertNormalizer(lowercase=False),
    "bert-uncased": lambda: normalizers.BertNormalizer(strip_accents=False, lowercase=True),
    "nmt-nfkc": lambda: normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC()]),
}


def _pre_tokenizer(config: VocabConfig) -> PreTokenizer:
    name = config.pre_tokenizer
    if name == "byte-level":
        return pre_tokenizers.ByteLevel(add_prefix_space=False)
    if name == "ko-morpheme":
        words = pre_tokenizers.ByteLevel(add_prefix_space=False)
        return pre_tokenizers.Sequence([pre_tokenizers.Morphemes(config.analyser), words])
    if name in _PATTERNS:
        pattern = pre_tokenizers.Split(Regex(ENCODINGS[_PATTERNS[name]].pattern), "isolated")
        return pre_tokenizers.Sequence([pattern, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    return _PRE_TOKENIZERS[name]()


_PATTERNS = {"cl100k": "cl100k_base", "llama3": "llama3", "o200k": "o200k_base"}
_PRE_TOKENIZERS: Mapping[str, Callable[[], PreTokenizer]] = {
    "bert": pre_tokenizers.BertPreTokenizer,
    "metaspace": pre_tokenizers.Metaspace,
    "whitespace": pre_tokenizers.Whitespace,
    "whitespace-split": pre_tokenizers.WhitespaceSplit,
}


def _decoder(config: VocabConfig) -> Decoder | None:
    if config.byte_level:
        return decoders.ByteLevel()
    if config.model == "wordpiece":
        return decoders.WordPiece()
    spaces: list[Decoder] = [decoders.Metaspace()] if config.pre_tokenizer == "metaspace" else []
    if config.byte_fallback:
        return decoders.Sequence([decoders.ByteFallback(), *(spaces or [decoders.Fuse()])])
    return spaces[0] if spaces else None


def _trainer(config: VocabConfig) -> VocabularyTrainer:
    common: dict[str, Any] = {
        "vocab_size": config.vocab_size,
        "min_frequency": config.min_frequency,
        "special_tokens": tuple(dict.fromkeys(config.special_tokens)),
        "show_progress": False,
    }
    if config.compat == "sentencepiece":
        return _sentencepiece_trainer(config, common)
    if config.model == "wordlevel":
        return WordLevelTrainer(**common)
    if config.model == "unigram":
        return UnigramTrainer(
            unk_token=config.unk_token,
            byte_fallback=config.byte_fallback,
            character_coverage=config.character_coverage,
            **common,
        )
    alphabet = tuple(pre_tokenizers.ByteLevel.alphabet()) if config.byte_level else ()
    common |= {"initial_alphabet": alphabet, "limit_alphabet": config.limit_alphabet}
    if config.model == "wordpiece":
        return WordPieceTrainer(scoring=config.scoring, **common)
    return BpeTrainer(
        max_token_length=config.max_token_length,
        whole_characters=config.whole_characters,
        scripts_apart=config.scripts_apart,
        compat=config.compat,
        **common,
    )


def _sentencepiece_trainer(config: VocabConfig, common: dict[str, Any]) -> SentencePieceTrainer:
    common = {**common, "byte_fallback": config.byte_fallback}
    if config.character_coverage is not None:
        common["character_coverage"] = config.character_coverage
    if config.model == "bpe":
        return SentencePieceBpeTrainer(hard_vocab_limit=False, **common)
    return UnigramTrainer(unk_token=config.unk_token, compat="sentencepiece", **common)


def _refuse_too_small(trainer: VocabularyTrainer) -> None:
    """Say before any text is read what can be said before."""
    least = len({*trainer.special_texts, *getattr(trainer, "initial_alphabet", ())})
    if trainer.vocab_size < least:
        raise InputError(
            f"vocab_size {trainer.vocab_size} is smaller than the alphabet with the special tokens",
            allowed=f"{least} or more",
            hint="a byte-level vocabulary begins with 256 bytes",
        )


def _template(template: str, tokenizer: Tokenizer) -> processors.TemplateProcessing:
    """``[CLS] $A [SEP]``; of two texts the second follows as type 1, ended as the first."""
    words = template.split()
    names = list(dict.fromkeys(word for word in words if not word.startswith("$")))
    ids = []
    for name in names:
        number = tokenizer.token_to_id(name)
        if number is None:
            raise InputError(f"the template names {name}, which is no special token", hint="name it among them")
        ids.append((name, number))
    ends = [f"{word}:1" for word in words[words.index("$A") + 1 :]]
    return processors.TemplateProcessing(template, [*(f"{word}:0" for word in words), "$B:1", *ends], ids)
