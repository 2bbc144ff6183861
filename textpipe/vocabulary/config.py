"""What vocabulary to train: the settings, and the presets they can begin with.

What enters: keyword arguments, a preset's name or a TOML file. What leaves: a frozen :class:`VocabConfig`. Promises:
settings that exclude each other are refused by their names before any text is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple

import pydantic

from textpipe.config import Config, Field, commented_keys
from textpipe.errors import ConfigError, did_you_mean

__all__ = [
    "END_OF_TEXT",
    "PRESETS",
    "SENTENCEPIECE_RULES",
    "Preset",
    "VocabConfig",
    "commented_preset",
    "preset_settings",
]

END_OF_TEXT = "<|endoftext|>"
_PRE_TOKENIZER_OF: Mapping[Any, str] = {"wordpiece": "bert", "unigram": "metaspace"}
_BYTE_LEVEL = ("byte-level", "cl100k", "o200k", "llama3", "ko-morpheme")

SENTENCEPIECE_RULES: Mapping[str, str] = {"none": "identity", "nfkc": "nfkc", "nmt-nfkc": "nmt_nfkc"}
"""What sentencepiece calls the normalizers that it has too."""

ModelName = Literal["bpe", "wordpiece", "unigram", "wordlevel"]
NormalizerName = Literal["none", "nfc", "nfd", "nfkc", "nfkd", "bert", "bert-uncased", "nmt-nfkc"]
PreTokenizerName = Literal[
    "byte-level", "cl100k", "o200k", "llama3", "ko-morpheme", "bert", "metaspace", "whitespace", "whitespace-split"
]
Token = Annotated[str, Field(min_length=1)]


class VocabConfig(Config):
    """What vocabulary to train."""

    model: ModelName = Field("bpe", description="how entries are learned")
    compat: Literal["tokenizers", "plain", "sentencepiece"] = Field(
        "tokenizers",
        description="whose rules are followed; plain is the textbook (bpe), sentencepiece (bpe, unigram) begins with "
        "that preset and writes tokenizer.model",
    )
    vocab_size: int = Field(32_000, ge=1, description="number of entries, special tokens and alphabet included")
    min_frequency: int = Field(0, ge=0, description="what occurs less often is not learned")
    special_tokens: tuple[Token, ...] = Field((END_OF_TEXT,), description="first entries of the vocabulary, in order")
    unk_token: Token | None = Field(
        None, description="stands for text that no piece spells; <unk> when absent, none for byte-level bpe"
    )
    limit_alphabet: int | None = Field(
        None, ge=1, description="bpe, wordpiece: keep that many of the most frequent characters; all when absent"
    )
    max_token_length: int | None = Field(
        None, ge=1, description="bpe: longest token, in characters (of byte-level bpe in bytes); any when absent"
    )
    scoring: Literal["frequency", "likelihood"] = Field(
        "frequency", description="wordpiece: the pair merged next is the most frequent or the likeliest"
    )
    whole_characters: bool = Field(
        False, description="byte-level bpe: no token ends inside a character (a syllable) that it does not begin in"
    )
    scripts_apart: bool = Field(False, description="bpe: no token has two of Hangul, Latin and digits")
    byte_fallback: bool = Field(
        False, description="unigram, sentencepiece: 256 pieces for bytes, so that no text is unknown"
    )
    superwords: int | None = Field(
        None,
        ge=1,
        description="byte-level bpe: from this size on tokens may hold several words, but no digits or punctuation "
        "with them; never when absent",
    )
    character_coverage: float | None = Field(
        None,
        gt=0.0,
        le=1.0,
        description="unigram, sentencepiece: share of the text that is of characters to have; rarer ones are unknown; "
        "1 when absent, of sentencepiece 0.9995",
    )
    template: str = Field(
        "",
        description="special tokens around a text, such as [CLS] $A [SEP]; none when absent, and a preset has its own",
    )
    normalizer: NormalizerName = Field("nfc", description="Unicode form and cleaning of the text")
    pre_tokenizer: PreTokenizerName = Field(
        "byte-level",
        description="how text is cut into words; byte-level when absent, for wordpiece bert, for unigram metaspace",
    )
    analyser: str = Field(
        "kiwi", description="ko-morpheme: who finds the morphemes; okt, komoran, hannanum and kkma are konlpy's"
    )
    invalid_utf8: Literal["refuse", "replace"] = Field(
        "refuse", description="what becomes of bytes that are no UTF-8; replace counts them"
    )
    text_column: Token = Field("text", description="where Parquet files hold their texts")
    weights: str = Field(
        "",
        description="shares of named inputs by bytes: ko=0.5,en=0.5, equal, temperature=0.3, or parity (a token stands "
        "for as many bytes in each); as they come when absent",
    )

    @pydantic.model_validator(mode="before")
    @classmethod
    def _cut_for_the_model(cls, given: Any) -> Any:
        """A model that byte-level words are not for gets words it is for, where none were chosen."""
        if isinstance(given, Mapping) and "pre_tokenizer" not in given and given.get("model") in _PRE_TOKENIZER_OF:
            return {**given, "pre_tokenizer": _PRE_TOKENIZER_OF[given["model"]]}
        return given

    @pydantic.model_validator(mode="after")
    def _fit_together(self) -> VocabConfig:
        if self.template and self.template.split().count("$A") != 1:
            raise ValueError(f"the template {self.template!r} must have $A, the text, once")
        if self.byte_level and self.model in ("wordpiece", "unigram"):
            raise ValueError(f"pre_tokenizer {self.pre_tokenizer} is for bpe and wordlevel, not for {self.model}")
        if self.byte_level and self.unk_token is not None:
            raise ValueError("unk_token has no use: a byte-level vocabulary knows no unknown text")
        if self.byte_fallback and self.model != "unigram" and self.compat != "sentencepiece":
            raise ValueError(f"byte_fallback is for unigram, not for {self.model}")
        if self.model != "bpe" and self.max_token_length is not None:
            raise ValueError(f"max_token_length is for bpe, not for {self.model}")
        if self.model != "wordpiece" and self.scoring != "frequency":
            raise ValueError(f"scoring is for wordpiece, not for {self.model}")
        if self.model != "bpe" and (self.whole_characters or self.scripts_apart):
            raise ValueError(f"whole_characters and scripts_apart are for bpe, not for {self.model}")
        if self.model not in ("bpe", "wordpiece") and self.limit_alphabet is not None:
            raise ValueError(f"limit_alphabet is for bpe and wordpiece, not for {self.model}")
        if self.model != "unigram" and self.compat != "sentencepiece" and self.character_coverage is not None:
            raise ValueError(f"character_coverage is for unigram and sentencepiece, not for {self.model}")
        if self.compat == "plain" and self.model != "bpe":
            raise ValueError(f"compat plain is for bpe, not for {self.model}")
        if self.compat == "sentencepiece":
            self._fit_sentencepiece()
        if self.superwords is not None:
            self._fit_superwords()
        return self

    def _fit_superwords(self) -> None:
        """Refuse what a second stage of learning cannot keep."""
        if self.model != "bpe" or not self.byte_level or self.compat == "sentencepiece":
            raise ValueError("superwords are for byte-level bpe that is not of sentencepiece's rules")
        if self.superwords is not None and self.superwords > self.vocab_size:
            raise ValueError(f"superwords {self.superwords} is above vocab_size {self.vocab_size}")
        given = ("limit_alphabet", "max_token_length", "whole_characters", "scripts_apart", "weights")
        other = next((name for name in given if getattr(self, name)), None)
        if other is not None:
            raise ValueError(f"superwords and {other} exclude each other")

    def _fit_sentencepiece(self) -> None:
        """Refuse what sentencepiece has no place for."""
        if self.model not in ("bpe", "unigram"):
            raise ValueError(f"compat sentencepiece is for bpe and unigram, not for {self.model}")
        if self.pre_tokenizer != "metaspace" or self.normalizer not in SENTENCEPIECE_RULES:
            allowed = ", ".join(SENTENCEPIECE_RULES)
            raise ValueError(f"compat sentencepiece needs pre_tokenizer metaspace, and of the normalizers {allowed}")
        if self.unk_token is None or self.special_tokens[:1] != (self.unk_token,):
            raise ValueError("compat sentencepiece needs an unk_token that is the first of the special_tokens")
        given = self.model_dump(
            include={
                *("template", "limit_alphabet", "max_token_length", "whole_characters", "scripts_apart", "weights"),
                *(("min_frequency",) if self.model == "bpe" else ()),
            }
        )
        other = next((name for name, value in given.items() if value), None)
        if other is None and self.invalid_utf8 != "refuse":
            other = "invalid_utf8"
        if other is not None:
            raise ValueError(f"compat sentencepiece has no {other}")

    @property
    def byte_level(self) -> bool:
        """Whether the alphabet is bytes."""
        return self.pre_tokenizer in _BYTE_LEVEL


class Preset(NamedTuple):
    """Settings that differ from the defaults, and what for."""

    summary: str
    settings: Mapping[str, Any]


PRESETS: Mapping[str, Preset] = {
    "default": Preset("NFC, byte-level BPE", {}),
    "gpt2": Preset("GPT-2's words, no normalizer", {"normalizer": "none"}),
    "cl100k": Preset("GPT-4's words", {"normalizer": "none", "pre_tokenizer": "cl100k"}),
    "o200k": Preset("GPT-4o's words", {"normalizer": "none", "pre_tokenizer": "o200k"}),
    "llama3": Preset(
        "Llama 3's words and special tokens",
        {
            "normalizer": "none",
            "pre_tokenizer": "llama3",
            "special_tokens": ("<|begin_of_text|>", "<|end_of_text|>"),
            "template": "<|begin_of_text|> $A",
        },
    ),
    "ko-morpheme": Preset(
        "Korean is cut between morphemes while learning; the tokenizer needs no analyser",
        {"pre_tokenizer": "ko-morpheme"},
    ),
    "bert": Preset(
        "WordPiece with [CLS] and [SEP]",
        {
            "model": "wordpiece",
            "normalizer": "bert",
            "pre_tokenizer": "bert",
            "special_tokens": ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
            "unk_token": "[UNK]",
            "template": "[CLS] $A [SEP]",
        },
    ),
    "t5": Preset(
        "Unigram that ends in </s>",
        {
            "model": "unigram",
            "normalizer": "nmt-nfkc",
            "pre_tokenizer": "metaspace",
            "special_tokens": ("<pad>", "</s>", "<unk>"),
            "unk_token": "<unk>",
            "template": "$A </s>",
        },
    ),
    "xlm-r": Preset(
        "Unigram between <s> and </s>",
        {
            "model": "unigram",
            "normalizer": "nmt-nfkc",
            "pre_tokenizer": "metaspace",
            "special_tokens": ("<s>", "<pad>", "</s>", "<unk>", "<mask>"),
            "unk_token": "<unk>",
            "template": "<s> $A </s>",
        },
    ),
    "sentencepiece": Preset(
        "sentencepiece's own rules and file",
        {
            "model": "unigram",
            "compat": "sentencepiece",
            "normalizer": "nmt-nfkc",
            "pre_tokenizer": "metaspace",
            "special_tokens": ("<unk>", "<s>", "</s>"),
            "unk_token": "<unk>",
        },
    ),
}
"""Ready-made settings, by the name of what they are for."""


def preset_settings(name: str) -> dict[str, Any]:
    """The settings of a preset.

    Raises
    ------
    ConfigError
        when there is no such preset.

    Examples
    --------
    >>> preset_settings("gpt2")
    {'normalizer': 'none'}
    """
    if name not in PRESETS:
        error = ConfigError(f"no preset {name!r}", hint=did_you_mean(name, PRESETS))
        error.problems = ((("preset",), error.what),)
        raise error
    return dict(PRESETS[name].settings)


def commented_preset(name: str) -> str:
    """A TOML file of a preset with every key and what it means, to be edited; keys that are absent stand commented out.

    Raises
    ------
    ConfigError
        when there is no such preset.
    """
    settings = VocabConfig(**preset_settings(name)).model_dump(mode="json")
    lines = [
        "# textpipe train-vocab INPUTS --config THIS_FILE --out vocab",
        f"# preset {name}: {PRESETS[name].summary}",
    ]
    return "\n".join([*lines, "", *commented_keys(VocabConfig, settings)]) + "\n"
