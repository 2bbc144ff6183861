"""Whether a vocabulary that is to be trained can be written in the formats asked for.

What enters: settings and names of formats. What leaves: nothing, or an error. Promises: it is said before any text is
read, not after hours of training; a vocabulary of two words with the same stages is what it is tried on.
"""

from __future__ import annotations

from collections.abc import Iterable

from textpipe.errors import ConfigError, InputError, did_you_mean
from textpipe.formats import FORMATS, losses
from textpipe.tokenizer import Tokenizer
from textpipe.trainers import count_texts, fit
from textpipe.vocabulary.config import VocabConfig
from textpipe.vocabulary.stages import finish, make_tokenizer

__all__ = ["check_formats"]

_TEXTS = ["가나 가나 ab ab"]
_SIZE = 400  # holds the bytes and the special tokens
_OF_SENTENCEPIECE = ("tokenizer.json", "transformers", "model")


def check_formats(formats: Iterable[str], config: VocabConfig) -> None:
    """Refuse a format there is none of, or that has no place for such a vocabulary.

    Raises
    ------
    ConfigError
        naming the nearest, or what the format is for.
    """
    asked = [name for name in dict.fromkeys(formats) if name != "tokenizer.json"]
    for name in asked:
        if name not in FORMATS:
            raise ConfigError(f"there is no format {name!r}", where="formats", hint=did_you_mean(name, FORMATS))
        if config.compat == "sentencepiece" and name not in _OF_SENTENCEPIECE:
            raise ConfigError(
                f"{name} does not hold a vocabulary of sentencepiece's rules",
                where="formats",
                allowed=", ".join(_OF_SENTENCEPIECE),
            )
    if not asked or config.compat == "sentencepiece":
        return
    tried = _tried(config).parts
    for name in asked:
        try:
            losses(tried, name)
        except InputError as error:
            raise ConfigError(error.what, where="formats", hint=f"leave {name} out") from None


def _tried(config: VocabConfig) -> Tokenizer:
    """A small vocabulary with the same stages."""
    if config.pre_tokenizer == "ko-morpheme":  # whose analyser is not in what is written
        config = config.replaced(pre_tokenizer="byte-level")
    small = config.replaced(vocab_size=_SIZE + len(config.special_tokens), superwords=None, min_frequency=0)
    tokenizer, trainer = make_tokenizer(small)
    counts = count_texts(_TEXTS, tokenizer.pipeline.word_cutter(), threads=1)
    model = fit(tokenizer.model, counts, trainer, threads=1)
    return finish(tokenizer, model, small, list(trainer.special_tokens))
