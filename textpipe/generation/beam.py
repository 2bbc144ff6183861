"""Beam search: the likeliest texts that a few hypotheses at a time can find.

What enters: a writing (see :mod:`textpipe.generation.writing`), how many beams, and a length penalty. What leaves: for
each sequence its best texts, best first. With ``length_penalty="average"`` ids and scores are those of
``transformers``' beam search with the same alpha.

Each step, of all continuations of a sequence's beams the likeliest are looked at: twice as many as beams, and as many
again for each further token that ends a text. Those of the first ``beams`` that end (by such a token, or because
``max_tokens`` is reached) are kept as texts when they are among the best so far; the likeliest that do not end go on. A
sequence is done when it has ``beams`` texts and the likeliest beam, taken at its length now, is no better than the
worst of them.

Axes: N rows of all sequences not done, V vocabulary.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

import torch

from textpipe.config import Config, Field
from textpipe.generation.sampling import StopString, penalized

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from textpipe.generation.whole_characters import WholeCharacters
    from textpipe.generation.writing import Writing

__all__ = ["BeamConfig", "Hypothesis", "beam_search"]


class BeamConfig(Config):
    """How texts are searched for. A text's score is the sum of its tokens' logarithms over a penalty of its length.

    ``average`` divides by length^alpha (what ends it counted), ``gnmt`` by ((5 + length) / 6)^alpha (Wu et al. 2016),
    ``none`` by nothing.
    """

    beams: int = Field(4, ge=1, le=1024, description="hypotheses of each sequence that are followed")
    max_tokens: int = Field(100, ge=1, description="most tokens written, what ends a text included")
    length_penalty: Literal["average", "gnmt", "none"] = Field("average", description="what a score is divided by")
    alpha: float = Field(1.0, ge=-10.0, le=10.0, description="exponent of the penalty; above 0 longer texts gain")
    repetition_penalty: float = Field(
        1.0, gt=0.0, le=100.0, description="logarithms of tokens that were written are multiplied by it"
    )
    no_repeat_ngram: int = Field(0, ge=0, description="no run of so many tokens is written twice; 0 allows it")
    stop: tuple[StopString, ...] = Field((), description="strings that end a text; they are no part of it")

    def penalty(self, length: int) -> float:
        """What the sum over ``length`` tokens is divided by."""
        if self.length_penalty == "none":
            return 1.0
        return float((length if self.length_penalty == "average" else (5 + length) / 6) ** self.alpha)


class Hypothesis(NamedTuple):
    """A text: its ids without the one that ends it, and its score."""

    ids: list[int]
    score: float


@dataclass(slots=True)
class _Search:
    """One sequence: its number, its beams' ids and where each stands in a character, and the texts it has."""

    number: int
    beams: list[list[int]]
    states: list[int]
    texts: list[Hypothesis] = field(default_factory=list)

    def go_on(self, chosen: Sequence[tuple[int, int, float]], only: WholeCharacters | None) -> None:
        """The beams are now those chosen, as (beam, token, sum)."""
        if only is not None:
            self.states = [only.after(self.states[beam], token) for beam, token, _ in chosen]
        self.beams = [[*self.beams[beam], token] for beam, token, _ in chosen]


@torch.inference_mode()
def beam_search(
    writing: Writing,
    config: BeamConfig,
    *,
    ends: Collection[int],
    at_limit: Sequence[int] = (),
    before: Sequence[Sequence[int]] | None = None,
    never: Sequence[int] = (),
    only: WholeCharacters | None = None,
) -> list[list[Hypothesis]]:
    """The best ``config.beams`` texts of each sequence, best first.

    Any id of ``ends`` ends a text, and where there are some ``at_limit``, the last token that ``max_tokens`` leaves
    room for is one of them, whatever is likely. ``before`` are ids that penalties count as written; those of ``never``
    are not written. ``only`` keeps every beam UTF-8; one that is cut by ``max_tokens`` may still end inside a
    character.

    Notes
    -----
    Time O(max_tokens · beams) steps of the model; memory of ``beams`` caches a sequence.
    """
    logits_NV = writing.first()
    found: list[list[Hypothesis]] = [[] for _ in range(len(logits_NV))]
    running = [_Search(number, [[]], [0]) for number in range(len(logits_NV))]
    sums_N = torch.zeros(len(logits_NV), device=logits_NV.device)
    for length in range(1, config.max_tokens + 1):
        scores_NV = logits_NV.float().log_softmax(dim=-1)
        if config.repetition_penalty != 1.0 or config.no_repeat_ngram:
            first = before or [()] * len(found)
            written = [[*first[search.number], *ids] for search in running for ids in search.beams]
            scores_NV = penalized(scores_NV, config, written)
        scores_NV += sums_N[:, None]
        if never:
            scores_NV[:, list(never)] = -math.inf
        if only is not None:
            only.block_(scores_NV, [state for search in running for state in search.states])
        if at_limit and length == config.max_tokens:
            scores_NV.fill_(-math.inf)[:, list(at_limit)] = sums_N[:, None]
        chosen: list[tuple[int, int, float]] = []  # (row, token, sum) of each beam that goes on
        still: list[_Search] = []
        row = 0
        for search in running:
            rows = len(search.beams)
            went_on = _extend(search, scores_NV[row : row + rows], config, length=length, ends=ends)
            if went_on:
                chosen += [(row + beam, token, total) for beam, token, total in went_on]
                search.go_on(went_on, only)
                still.append(search)
            else:
                found[search.number] = search.texts
            row += rows
        if not still:
            break
        running = still
        rows_N, tokens_N = (torch.tensor([item[at] for item in chosen], device=logits_NV.device) for at in (0, 1))
        sums_N = torch.tensor([total for _, _, total in chosen], device=logits_NV.device)
        logits_NV = writing.next(rows_N, tokens_N)
    return found


def _extend(
    search: _Search, scores_KV: torch.Tensor, config: BeamConfig, *, length: int, ends: Collection[int]
) -> list[tuple[int, int, float]]:
    """Add the texts that end here; the beams that go on as (beam, token, sum), none when the sequence is done."""
    entries = scores_KV.shape[1]
    best, places = torch.topk(scores_KV.flatten(), min((1 + max(1, len(ends))) * config.beams, scores_KV.numel()))
    went_on: list[tuple[int, int, float]] = []
    is_last = length == config.max_tokens
    for rank, (total, place) in enumerate(zip(best.tolist(), places.tolist(), strict=True)):
        if total == -math.inf:
            break  # nothing that may be written is left
        beam, token = divmod(place, entries)
        if token not in ends and not is_last:
            if len(went_on) < config.beams:
                went_on.append((beam, token, total))
        elif rank < config.beams:
            ids = search.beams[beam] if token in ends else [*search.beams[beam], token]
            search.texts.append(Hypothesis(ids, total / config.penalty(length)))
    search.texts.sort(key=lambda text: -text.score)
    del search.texts[config.beams :]
    if not went_on:
        return []
    is_full = len(search.texts) == config.beams
    if is_full and went_on[0][2] / config.penalty(length) <= search.texts[-1].score:
        return []
    return went_on
