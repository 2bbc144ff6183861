"""How well entities are found in tagged text: F1 over whole entities, not over tags.

What enters: the true and the predicted BIO tags of each sentence. What leaves: precision, recall and F1 over all
entities and for each type. An entity counts as found when its first token, its last and its type are all right.

A predicted I- with nothing before it to continue begins an entity of its own, as in the CoNLL-2000 scorer; a strict
reading counts only what begins with B-.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textpipe.errors import InputError
from textpipe.evaluation.bootstrap import Interval, bootstrap_interval
from textpipe.evaluation.labels import ClassScores, check_same_length

__all__ = ["Entity", "EntityScores", "entities_of", "score_entities"]


@dataclass(frozen=True, slots=True, order=True)
class Entity:
    """Tokens ``begin`` up to, not including, ``end``, and what they are."""

    begin: int
    end: int
    type: str


@dataclass(frozen=True, slots=True)
class EntityScores:
    """Scores over whole entities, shares between 0 and 1; ``types`` by name."""

    num_sentences: int
    precision: float
    recall: float
    f1: Interval
    macro_f1: float
    types: dict[str, ClassScores]


def entities_of(tags: Sequence[str], *, strict: bool = False) -> Iterator[Entity]:
    """The entities that the BIO tags of one sentence stand for, from left to right.

    Raises
    ------
    InputError
        for a tag that is neither O nor B- or I- with a type.

    Examples
    --------
    >>> list(entities_of(["B-PS", "I-PS", "O", "I-LC"]))
    [Entity(begin=0, end=2, type='PS'), Entity(begin=3, end=4, type='LC')]
    >>> list(entities_of(["B-PS", "I-PS", "O", "I-LC"], strict=True))
    [Entity(begin=0, end=2, type='PS')]
    """
    begin, kind = 0, ""  # of the entity that is open; none is while the type is empty
    for at, tag in enumerate(tags):
        prefix, _, name = tag.partition("-")
        if tag != "O" and (prefix not in ("B", "I") or not name):
            raise InputError(f"the tag {tag!r} is not of BIO", where=f"token {at + 1}", allowed="O, B-TYPE or I-TYPE")
        if prefix == "I" and name == kind:
            continue
        if kind:
            yield Entity(begin, at, kind)
        begin, kind = at, "" if strict and prefix == "I" else name
    if kind:
        yield Entity(begin, len(tags), kind)


def score_entities(
    true: Sequence[Sequence[str]],
    predicted: Sequence[Sequence[str]],
    *,
    strict: bool = False,
    num_resamples: int = 1000,
    seed: int = 0,
) -> EntityScores:
    """Score predicted BIO tags against the true ones, entity by entity.

    Parameters
    ----------
    true, predicted : the tags of each sentence, as many on both sides.
    strict : only B- begins an entity; otherwise an I- that continues nothing begins one too.
    num_resamples, seed : of the bootstrap over sentences.

    Raises
    ------
    InputError
        for different numbers of sentences or of tags, or a tag that is not of BIO; the sentence is named.

    Notes
    -----
    A resample without any entity on either side scores 0.

    Examples
    --------
    >>> found = score_entities([["B-PS", "O"], ["B-LC", "I-LC"]], [["B-PS", "O"], ["B-LC", "O"]])
    >>> found.f1.value, found.types["PS"].f1, found.types["LC"].f1
    (0.5, 1.0, 0.0)
    """
    check_same_length(true, predicted, "sentences")
    right, guessed, meant = (Counter[str]() for _ in range(3))
    counts_N3: NDArray[np.int64] = np.zeros((len(true), 3), dtype=np.int64)
    for number, (one, other) in enumerate(zip(true, predicted, strict=True)):
        try:
            check_same_length(one, other, "tags")
            wanted, found = (set(entities_of(side, strict=strict)) for side in (one, other))
        except InputError as error:
            where = f"sentence {number + 1}" + (f", {error.where}" if error.where else "")
            raise InputError(error.what, where=where, allowed=error.allowed, hint=error.hint) from None
        counts_N3[number] = len(wanted & found), len(found), len(wanted)
        for counter, entities in ((right, wanted & found), (guessed, found), (meant, wanted)):
            counter.update(entity.type for entity in entities)

    def f1(drawn: NDArray[np.int64]) -> float:
        return ClassScores.of_counts(*counts_N3[drawn].sum(axis=0).tolist()).f1

    total = ClassScores.of_counts(*counts_N3.sum(axis=0).tolist())
    types = {name: ClassScores.of_counts(right[name], guessed[name], meant[name]) for name in sorted(guessed | meant)}
    return EntityScores(
        num_sentences=len(true),
        precision=total.precision,
        recall=total.recall,
        f1=bootstrap_interval(f1, len(true), num_resamples=num_resamples, seed=seed),
        macro_f1=sum(each.f1 for each in types.values()) / len(types) if types else 0.0,
        types=types,
    )
