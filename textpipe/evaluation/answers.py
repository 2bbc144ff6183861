"""How well answers match: exact match, and F1 of the words or characters they share.

What enters: the answer given to each question and the answers that are right. What leaves: the share given exactly, and
the mean F1, each answer held against the nearest right one. Before that both lose case, punctuation and double space,
and what their language's benchmark drops besides:

en    the articles a, an and the; F1 counts words (SQuAD: Rajpurkar et al. 2016)
ko    quotation marks and brackets such as 《 》, which part words; F1 counts characters, as particles stick to nouns
      (KorQuAD 1.0: Lim et al. 2019)

Beyond the benchmarks' own scripts, syllables written as jamo equal composed ones, and two empty answers are the same.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from textpipe.errors import ConfigError, InputError, did_you_mean
from textpipe.evaluation.bootstrap import Interval, bootstrap_interval
from textpipe.evaluation.labels import check_same_length

__all__ = ["AnswerLanguage", "AnswerScores", "exact_match", "score_answers", "shared_f1"]

AnswerLanguage = Literal["en", "ko"]

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_WITHOUT_PUNCTUATION = str.maketrans("", "", string.punctuation)
_SPACES_FOR_QUOTES = str.maketrans(dict.fromkeys("'\"‘’《》〈〉<>()", " "))


@dataclass(frozen=True, slots=True)
class AnswerScores:
    """Means over all questions, shares between 0 and 1."""

    num_questions: int
    exact_match: Interval
    f1: Interval


def exact_match(given: str, right: str, *, language: AnswerLanguage) -> bool:
    """Whether two answers are the same but for case, punctuation and spaces.

    >>> exact_match("The Han River.", "han river", language="en")
    True
    """
    return _words(given, language) == _words(right, language)


def shared_f1(given: str, right: str, *, language: AnswerLanguage) -> float:
    """F1 of the words (``en``) or characters (``ko``) that two answers share, between 0 and 1.

    Two empty answers share everything; an empty one shares nothing with another.

    >>> shared_f1("한강에서", "한강", language="ko")
    0.6666666666666666
    """
    one, other = (Counter(_units(text, language)) for text in (given, right))
    if not one or not other:
        return float(one == other)
    return 2 * (one & other).total() / (one.total() + other.total())


def _words(text: str, language: AnswerLanguage) -> list[str]:
    # The same syllables may come composed or as jamo: what is seen as the same answer is the same answer.
    text = unicodedata.normalize("NFC", text).lower()
    if language == "ko":
        return text.translate(_SPACES_FOR_QUOTES).translate(_WITHOUT_PUNCTUATION).split()
    return _ARTICLES.sub(" ", text.translate(_WITHOUT_PUNCTUATION)).split()


def _units(text: str, language: AnswerLanguage) -> Sequence[str]:
    words = _words(text, language)
    return "".join(words) if language == "ko" else words


def score_answers(
    given: Sequence[str],
    right: Sequence[Sequence[str]],
    *,
    language: AnswerLanguage,
    num_resamples: int = 1000,
    seed: int = 0,
) -> AnswerScores:
    """Score answers against the right ones.

    Parameters
    ----------
    given : one answer a question; an empty one says that there is none.
    right : the right answers of each question, one or more; a question without answer has one that is empty.
    language : whose rules answers are compared by.
    num_resamples, seed : of the bootstrap over questions.

    Raises
    ------
    InputError
        for different numbers of questions, or a question without any right answer.
    ConfigError
        for another language.

    Examples
    --------
    >>> found = score_answers(["세종대왕", "1443년에"], [["세종", "세종대왕"], ["1443년"]], language="ko")
    >>> found.exact_match.value, round(found.f1.value, 4)
    (0.5, 0.9545)
    """
    if language not in get_args(AnswerLanguage):
        raise ConfigError(f"unknown language {language!r}", hint=did_you_mean(language, get_args(AnswerLanguage)))
    check_same_length(right, given, "answers")
    for number, answers in enumerate(right, 1):
        if isinstance(answers, str) or not answers:
            raise InputError(
                "the right answers are no list of one text or more",
                where=f"question {number}",
                allowed='such as ["서울"], or [""] where there is no answer',
            )
    pairs = list(zip(given, right, strict=True))
    exact_N = np.array([any(exact_match(one, answer, language=language) for answer in all_) for one, all_ in pairs])
    f1_N = np.array([max(shared_f1(one, answer, language=language) for answer in all_) for one, all_ in pairs])

    def interval(scores_N: NDArray[Any]) -> Interval:
        def score(drawn: NDArray[np.int64]) -> float:
            return float(scores_N[drawn].mean())

        return bootstrap_interval(score, len(pairs), num_resamples=num_resamples, seed=seed)

    return AnswerScores(len(pairs), interval(exact_N), interval(f1_N))
