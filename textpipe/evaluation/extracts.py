"""Extractive summaries: sentences of a text that stand for it. What an abstractive summary has to be better than.

What enters: a text. What leaves: some of its sentences, in their order, by one of three rules:

lead        the first ones: of news and of articles a baseline that is hard to beat
centroid    those nearest to the mean of all (Radev et al. 2004)
textrank    those that most others are like, and that are like such ones (Mihalcea and Tarau 2004)

Sentences are compared by the pairs of characters in their words, each counted the less the more sentences have it: so
particles that stick to Korean nouns part no two words that share a stem. No vocabulary or model is needed.

Axes: N sentence, F pair of characters.
"""

from __future__ import annotations

import re
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from textpipe.errors import ConfigError, LimitError, did_you_mean
from textpipe.limits import DEFAULT_LIMITS, Limits

__all__ = ["ExtractMethod", "extract", "sentences_of"]

ExtractMethod = Literal["lead", "centroid", "textrank"]

_DAMPING, _ROUNDS, _STILL = 0.85, 100, 1e-9
# What ends a sentence, and quotation marks or brackets that close behind it, before a blank; or a line's end.
_END = re.compile(r"(?<=[.!?。！？…])[\"'”’」』)\]]*\s+|\n+")


def sentences_of(text: str) -> list[str]:
    """The sentences of a text, without blanks at their ends.

    >>> sentences_of('"가자!"라고 했다. 비가 온다\\n3.5 km')
    ['"가자!"라고 했다.', '비가 온다', '3.5 km']
    """
    found, begin = [], 0
    for match in _END.finditer(text):
        piece = text[begin : match.end()].strip()
        begin = match.end()
        if piece:
            found.append(piece)
    last = text[begin:].strip()
    return [*found, last] if last else found


def extract(
    text: str, num_sentences: int = 3, *, method: ExtractMethod = "textrank", limits: Limits = DEFAULT_LIMITS
) -> list[str]:
    """The sentences that stand for a text, in the order they have in it.

    Parameters
    ----------
    num_sentences : how many, 1 or more; a text that has no more is returned whole.
    method : the rule; of equal sentences the first is taken.

    Raises
    ------
    ConfigError
        for another method or a number below 1.
    LimitError
        when the text has more sentences than are compared with each other.

    Notes
    -----
    Time and memory grow with the square of the sentences.

    Examples
    --------
    >>> text = "바다가 보인다. 바다는 넓다. 바다는 넓고 푸르다. 점심을 먹었다."
    >>> extract(text, 1)
    ['바다는 넓다.']
    """
    if method not in get_args(ExtractMethod):
        raise ConfigError(f"no method {method!r}", where="method", hint=did_you_mean(method, get_args(ExtractMethod)))
    if num_sentences < 1:
        raise ConfigError(f"{num_sentences} sentences", where="num_sentences", allowed="1 or more")
    sentences = sentences_of(text)
    if method == "lead" or len(sentences) <= num_sentences:
        return sentences[:num_sentences]
    if len(sentences) > limits.extract_sentences:
        raise LimitError(
            f"a text of {len(sentences):,} sentences", allowed=f"{limits.extract_sentences:,}", hint="use method lead"
        )
    vectors_NF = _vectors(sentences)
    weights_N = _centrality(vectors_NF) if method == "centroid" else _rank(vectors_NF)
    best = sorted(np.argsort(-np.round(weights_N, 9), kind="stable")[:num_sentences].tolist())
    return [sentences[number] for number in best]


def _vectors(sentences: list[str]) -> NDArray[np.float64]:
    """A row of length 1 for each sentence (0 where it has no pair of characters)."""
    numbers: dict[str, int] = {}
    rows = []
    for sentence in sentences:
        words = re.findall(r"\w+", sentence.lower())
        pairs = [word[at : at + 2] for word in words for at in range(max(1, len(word) - 1))]
        rows.append([numbers.setdefault(pair, len(numbers)) for pair in pairs])
    counts_NF = np.zeros((len(sentences), max(1, len(numbers))))
    for row, found in enumerate(rows):
        np.add.at(counts_NF[row], found, 1.0)
    holding_F = np.maximum(1, (counts_NF > 0).sum(axis=0))
    weighted_NF: NDArray[np.float64] = counts_NF * np.log1p(len(sentences) / holding_F)
    lengths_N = np.linalg.norm(weighted_NF, axis=1, keepdims=True)
    return weighted_NF / np.where(lengths_N > 0, lengths_N, 1.0)


def _centrality(vectors_NF: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = vectors_NF @ vectors_NF.mean(axis=0)
    return found


def _rank(vectors_NF: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share of time that a reader spends at each sentence who goes on to one like it, or anywhere."""
    alike_NN = vectors_NF @ vectors_NF.T
    np.fill_diagonal(alike_NN, 0.0)
    totals_N = alike_NN.sum(axis=1, keepdims=True)
    size = len(alike_NN)
    moves_NN = np.where(totals_N > 0, alike_NN / np.where(totals_N > 0, totals_N, 1.0), 1.0 / size)
    share_N: NDArray[np.float64] = np.full(size, 1.0 / size)
    for _ in range(_ROUNDS):
        after_N = (1 - _DAMPING) / size + _DAMPING * (share_N @ moves_NN)
        if np.abs(after_N - share_N).max() < _STILL:
            return after_N
        share_N = after_N
    return share_N
