"""Vectors of tokens, from what stands beside them: a beginning for two languages of one vocabulary.

What enters: two corpora of one vocabulary. What leaves: a vector for every token, close together where tokens of either
language keep the same company, before anything is trained.

Tokens that occur in both languages (names, numbers, loan words, shared pieces) are the first measure: a token's
coordinates are its positive pointwise mutual information with each of them. Two tokens that are nearest to each other,
one of each language, are then taken for one more such token, and all is measured again, a few times (self-learning, as
Artetxe, Labaka, Agirre 2018 have it; nearness is corrected for tokens that are near to all, Conneau et al. 2018). A
fixed projection brings the coordinates to the width that is wanted.

Axes: V vocabulary, A anchors (tokens of both languages, or pairs of tokens), D width; E, F tokens of one language
alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from textpipe.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textpipe.data.shards import TokenShard
    from textpipe.data.two_corpora import TwoCorpora

__all__ = ["SELF_LEARNING", "Anchors", "anchors", "company_VA", "coordinates_VA", "word_vectors"]

Anchors = tuple[tuple[int, ...], ...]
"""Tokens that stand for one thing in both languages: one token of both, or one of each."""

SELF_LEARNING = 5  # rounds, after which hardly an anchor is new
_MOST_ANCHORS = 1024
_MOST_TOKENS = 4096  # of each language alone, the most frequent, that are compared
_REACH = 10  # tokens to either side that are a token's company
_BLOCK = 1 << 20  # tokens counted at once
_POWER = 0.75  # smooths how often anchors occur, or rare ones would outweigh all (Levy, Goldberg, Dagan 2015)
_NEIGHBOURS = 5  # whose mean nearness a token's nearness is held against


def anchors(data: TwoCorpora) -> Anchors:
    """Tokens of both languages, but what ends a text, the most frequent in the rarer language first.

    Raises
    ------
    InputError
        when there is none.
    """
    shared_V = data.counts_LV().min(axis=0)
    shared_V[data.eos_id] = 0
    found = np.argsort(-shared_V, kind="stable")[: min(_MOST_ANCHORS, int((shared_V > 0).sum()))]
    if not len(found):
        raise InputError(
            f"no token occurs in both {data.languages[0]} and {data.languages[1]}",
            where=data.path,
            hint="vectors have nothing to be measured by: train one vocabulary on both, or begin with random ones",
        )
    return tuple((token,) for token in found.tolist())


def company_VA(data: TwoCorpora, chosen: Anchors) -> npt.NDArray[np.float64]:
    """How often each token stands near each anchor, in one sentence.

    Notes
    -----
    Time O(tokens · reach), memory O(V · A).
    """
    place_V = np.full(data.vocab_size, -1, dtype=np.int64)
    for place, tokens in enumerate(chosen):
        place_V[list(tokens)] = place
    counts_VA = np.zeros((data.vocab_size, len(chosen)))
    for corpus in data.corpora:
        for shard in corpus.train.shards:
            _count(shard, place_V, counts_VA)
    return counts_VA


def _count(shard: TokenShard, place_V: npt.NDArray[np.int64], counts_VA: npt.NDArray[np.float64]) -> None:
    num_anchors = counts_VA.shape[1]
    for start in range(0, len(shard.tokens), _BLOCK):
        # blocks overlap by the reach, so each two tokens within it meet once
        tokens = shard.tokens[start : start + _BLOCK + _REACH].astype(np.int64)
        sentences = np.searchsorted(shard.offsets, np.arange(start, start + len(tokens)), side="right")
        for distance in range(1, _REACH + 1):
            left, right = tokens[:-distance][:_BLOCK], tokens[distance:][:_BLOCK]
            together = (sentences[:-distance] == sentences[distance:])[:_BLOCK]
            for one, other in ((left, right), (right, left)):
                anchor = place_V[other]
                near = together & (anchor >= 0)
                cells = one[near] * num_anchors + anchor[near]
                counts_VA += np.bincount(cells, minlength=counts_VA.size).reshape(counts_VA.shape)


def coordinates_VA(counts_VA: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Positive pointwise mutual information of each token with each anchor, as directions."""
    own_V1 = counts_VA.sum(axis=1, keepdims=True)
    anchors_A = counts_VA.sum(axis=0) ** _POWER
    with np.errstate(divide="ignore", invalid="ignore"):
        information_VA = np.log(counts_VA * anchors_A.sum() / (own_V1 * anchors_A))
    return _directions(np.where(counts_VA > 0, np.maximum(information_VA, 0.0), 0.0))


def word_vectors(
    data: TwoCorpora, width: int, *, seed: int = 0, rounds: int = SELF_LEARNING
) -> npt.NDArray[np.float32]:
    """A vector (V, D) of length about 1 for every token; zeros for one without company.

    ``rounds`` tells how often tokens that were found to be alike are taken for anchors, and all is measured again.

    Raises
    ------
    InputError
        when no token occurs in both languages.
    """
    shared = anchors(data)
    counts_LV = data.counts_LV()
    alone = [_frequent(counts_LV[language], counts_LV[1 - language]) for language in (0, 1)]
    found_VA = coordinates_VA(company_VA(data, shared))
    for _ in range(rounds):
        pairs = _nearest(found_VA, alone)
        kept = max(_MOST_ANCHORS // 2, _MOST_ANCHORS - len(pairs))  # pairs have room, whatever is shared
        found_VA = coordinates_VA(company_VA(data, (*shared[:kept], *pairs)[:_MOST_ANCHORS]))
    vectors_VD: npt.NDArray[np.float32] = (found_VA @ _projection_AD(found_VA.shape[1], width, seed)).astype(np.float32)
    return vectors_VD


def _frequent(own_V: npt.NDArray[np.int64], other_V: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Tokens of one language alone, the most frequent first."""
    counts_V = np.where(other_V > 0, 0, own_V)
    return np.argsort(-counts_V, kind="stable")[: min(_MOST_TOKENS, int((counts_V > 0).sum()))]


def _nearest(found_VA: npt.NDArray[np.float64], alone: Sequence[npt.NDArray[np.int64]]) -> Anchors:
    """Tokens of either language that are each the other's nearest, the most frequent first."""
    if not all(map(len, alone)):
        return ()
    # a language's mean says which language a token is of, not what it stands for
    sides = [_directions(found_VA[tokens] - found_VA[tokens].mean(axis=0)) for tokens in alone]
    near_EF = sides[0] @ sides[1].T
    common_E1, common_F1 = (_mean_of_nearest(rows) for rows in (near_EF, near_EF.T))
    near_EF = 2 * near_EF - common_E1 - common_F1.T
    of_E, of_F = near_EF.argmax(axis=1), near_EF.argmax(axis=0)
    mutual = np.flatnonzero(of_F[of_E] == np.arange(len(of_E)))
    return tuple(zip(alone[0][mutual].tolist(), alone[1][of_E[mutual]].tolist(), strict=True))


def _mean_of_nearest(near_EF: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    most = min(_NEIGHBOURS, near_EF.shape[1])
    found: npt.NDArray[np.float64] = np.partition(near_EF, -most, axis=1)[:, -most:].mean(axis=1, keepdims=True)
    return found


def _directions(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Each row with length 1, or zeros."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    found: npt.NDArray[np.float64] = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    return found


def _projection_AD(num_anchors: int, width: int, seed: int) -> npt.NDArray[np.float64]:
    """Random directions: at right angles where there is room, so that no distance changes, else nearly so."""
    drawn = np.random.default_rng(seed).standard_normal((max(num_anchors, width), min(num_anchors, width)))
    if num_anchors > width:
        return np.asarray(drawn / width**0.5)
    at_right_angles: npt.NDArray[np.float64] = np.linalg.qr(drawn)[0].T
    return at_right_angles
