"""Parallel text → which word belongs to which, and a lexicon.

What enters: pairs of texts as words. What leaves: for each pair its links, and how often which words were linked. Both
directions are learned, by model 1 and then, unless it is to be enough, a hidden Markov model that begins with what
model 1 found; a word is linked with what it most likely came from, all ways to align the rest taken together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from textpipe.alignment.cells import CellTable, Texts
from textpipe.alignment.jumps import JumpModel
from textpipe.alignment.lexical import LexicalModel, uniform
from textpipe.alignment.links import Link, Symmetrization, symmetrized
from textpipe.alignment.words import Numbering
from textpipe.config import Config, Field
from textpipe.errors import InputError

__all__ = ["Aligned", "AlignmentConfig", "LexiconEntry", "align"]

Words = Sequence[str]


class AlignmentConfig(Config):
    """How words are aligned."""

    model: Literal["hmm", "model1"] = Field("hmm", description="hmm also learns how places follow each other")
    model1_iterations: int = Field(5, ge=1, le=1000, description="iterations of model 1, in each direction")
    hmm_iterations: int = Field(5, ge=1, le=1000, description="iterations of the hidden Markov model after them")
    null_share: float = Field(
        0.2, ge=0.0, lt=1.0, description="chance of a word to stand for nothing on the other side"
    )
    symmetrization: Symmetrization = Field(
        "grow-diag-final-and", description="how the two directions are made one alignment"
    )


class LexiconEntry(NamedTuple):
    """Two words, how often they were linked, and that number's share of all links of the source and of the target."""

    source: str
    target: str
    num_links: int
    of_source: float
    of_target: float


@dataclass(frozen=True, slots=True)
class Aligned:
    """The links of each pair, as places (source, target) of its words.

    ``perplexity`` is that of each direction's texts before each iteration, a word: it tells whether more of them pay.
    """

    pairs: list[tuple[Words, Words]]
    links: list[list[Link]]
    perplexity: dict[str, list[float]]

    def lexicon(self) -> list[LexiconEntry]:
        """What was linked with what, most often first; words that differ in case alone are one."""
        counts: Counter[tuple[str, str]] = Counter()
        for (source, target), links in zip(self.pairs, self.links, strict=True):
            counts.update((source[one].casefold(), target[other].casefold()) for one, other in links)
        sources: Counter[str] = Counter()
        targets: Counter[str] = Counter()
        for (one, other), count in counts.items():
            sources[one] += count
            targets[other] += count
        rows = [
            LexiconEntry(one, other, count, count / sources[one], count / targets[other])
            for (one, other), count in counts.items()
        ]
        return sorted(rows, key=lambda row: (-row.num_links, row.source, row.target))


def align(
    pairs: Iterable[tuple[Words, Words]],
    config: AlignmentConfig | None = None,
    *,
    progress: Callable[..., None] | None = None,
) -> Aligned:
    """Learn from pairs of texts which of their words belong together, and align them.

    Parameters
    ----------
    pairs : the words of each source and of its target; :func:`split_words` makes them of texts.
    config : see :class:`AlignmentConfig`.
    progress : called as ``progress("align forward", iteration, iterations, unit="iterations", perplexity=…)``.

    Raises
    ------
    InputError
        when no pair has words on both sides.
    LimitError
        when the texts are too long, or too many, for memory.

    Notes
    -----
    Time O(iterations · Σ source · target words), about 0.2 µs each; memory about 30 bytes for each such two words.

    Examples
    --------
    >>> rows = [("das Haus", "the house"), ("das Buch", "the book"), ("ein Buch", "a book")]
    >>> found = align([(source.split(), target.split()) for source, target in rows], AlignmentConfig(null_share=0.0))
    >>> found.links
    [[(0, 0), (1, 1)], [(0, 0), (1, 1)], [(0, 0), (1, 1)]]
    """
    config, kept = config or AlignmentConfig(), list(pairs)
    numberings = Numbering(), Numbering()
    sides: list[Texts] = [[numberings[side].numbers(pair[side]) for pair in kept] for side in (0, 1)]
    if not any(len(one) and len(other) for one, other in zip(*sides, strict=True)):
        raise InputError("no pair has words on both sides", hint="name inputs that hold pairs of texts")
    tables = (CellTable(sides[1 - to], sides[to], len(numberings[to])) for to in (1, 0))  # one at a time in memory
    forward, ahead = _links(next(tables), len(kept), config, "align forward", progress)
    backward, back = _links(next(tables), len(kept), config, "align backward", progress)
    links = [
        symmetrized({(one, other) for other, one in there}, set(back_there), config.symmetrization)
        for there, back_there in zip(forward, backward, strict=True)
    ]
    return Aligned(kept, links, {"forward": ahead, "backward": back})


def _links(
    table: CellTable, num_pairs: int, config: AlignmentConfig, phase: str, progress: Callable[..., None] | None
) -> tuple[list[list[Link]], list[float]]:
    """For each pair the links (explained, given) of one direction, and the perplexity before each iteration."""
    num_words = sum(len(block.pairs_R) for block in table.blocks)
    total = config.model1_iterations + (config.hmm_iterations if config.model == "hmm" else 0)
    perplexity: list[float] = []

    def improved(model: LexicalModel | JumpModel, iterations: int) -> None:
        for _ in range(iterations):
            perplexity.append(float(np.exp(-model.improve() / num_words)))
            if progress is not None:
                shown = f"{perplexity[-1]:.2f}"
                progress(phase, len(perplexity), total, unit="iterations", perplexity=shown)

    model: LexicalModel | JumpModel = LexicalModel(table, uniform(table), null_share=config.null_share)
    improved(model, config.model1_iterations)
    if config.model == "hmm":
        model = JumpModel(table, model.shares_N, null_share=config.null_share)
        improved(model, config.hmm_iterations)
    found: list[list[Link]] = [[] for _ in range(num_pairs)]
    for pair, explained_place, given_place in _likeliest(model):
        found[pair].append((explained_place, given_place))
    return found, perplexity


def _likeliest(model: LexicalModel | JumpModel) -> Iterator[tuple[int, int, int]]:
    """Pair, explained place and given place of each link: what each word most likely came from, if not nothing."""
    for block in model.table.blocks:
        shares_RC, _ = model.posteriors(block)
        origins_R = shares_RC.argmax(axis=1)
        linked = origins_R > 0
        yield from zip(
            block.pairs_R[linked].tolist(),
            block.places_R[linked].tolist(),
            (origins_R[linked] - 1).tolist(),
            strict=True,
        )
