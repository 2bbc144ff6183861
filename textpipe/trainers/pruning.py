"""Vocabularies cut down.

What enters: a byte-pair vocabulary with its merges, and what to keep of it. What leaves: a :class:`PrunedBpe` with new
ids and a map from the old. Promises: what is kept can be made by the merges that are kept; the characters (or bytes)
stay, so that any text that could be encoded still can; entries keep their order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from textpipe.errors import InputError

__all__ = ["PrunedBpe", "prune_bpe"]


class PrunedBpe(NamedTuple):
    """A smaller vocabulary, its merges, and old id → new id of every entry kept, in the order of ids.

    Rows of an embedding are chosen by it: ``weight[list(new_id_of)]``.
    """

    vocab: dict[str, int]
    merges: list[tuple[str, str]]
    new_id_of: dict[int, int]


def prune_bpe(
    vocab: Mapping[str, int],
    merges: Sequence[tuple[str, str]],
    keep: Collection[str] | int,
    *,
    special_tokens: Iterable[str] = (),
    prefix: str = "",
    uses: Mapping[str, int] | None = None,
) -> PrunedBpe:
    """Keep some entries, and what is needed to make them.

    Parameters
    ----------
    vocab, merges : what there is.
    keep : the entries wanted, or how many to have in all: then those made last go first.
    uses : how often each entry is used; of a number of entries those used least go first, those made last at equals.
    special_tokens : entries to keep in any case.
    prefix : what merges cut from their right part, as ``continuing_subword_prefix``.

    Raises
    ------
    InputError
        when an entry wanted is not there, or ``keep`` is below what has to stay.

    Examples
    --------
    >>> vocab = {"a": 0, "b": 1, "c": 2, "bc": 3, "ab": 4, "abc": 5, "cc": 6}
    >>> merges = [("b", "c"), ("a", "b"), ("a", "bc"), ("c", "c")]
    >>> prune_bpe(vocab, merges, ["abc"])  # doctest: +NORMALIZE_WHITESPACE
    PrunedBpe(vocab={'a': 0, 'b': 1, 'c': 2, 'bc': 3, 'abc': 4}, merges=[('b', 'c'), ('a', 'bc')],
              new_id_of={0: 0, 1: 1, 2: 2, 3: 3, 5: 4})

    Notes
    -----
    An entry is made by the first merge that gives it. Of the other merges those stay whose three strings do. Text that
    holds no entry that went is encoded as before, but for other splits of the same string. Time O(entries + merges).
    """
    made_by: dict[str, tuple[str, str]] = {}
    for left, right in merges:
        made_by.setdefault(left + right.removeprefix(prefix), (left, right))
    stay = {text for text in vocab if text not in made_by} | set(special_tokens) & vocab.keys()
    if isinstance(keep, int):
        made = [text for text in made_by if text in vocab]
        if uses is not None:
            made.sort(key=lambda text: -uses.get(text, 0))
        kept = _first(keep, stay, made_by, made)
    else:
        missing = next((text for text in keep if text not in vocab), None)
        if missing is not None:
            raise InputError(f"{missing!r} is not in the vocabulary")
        kept = _closed(stay | set(keep), made_by)
    ordered = sorted(kept, key=lambda text: vocab[text])
    return PrunedBpe(
        vocab={text: number for number, text in enumerate(ordered)},
        merges=[
            (left, right)
            for left, right in merges
            if left in kept and right in kept and left + right.removeprefix(prefix) in kept
        ],
        new_id_of={vocab[text]: number for number, text in enumerate(ordered)},
    )


def _closed(wanted: set[str], made_by: Mapping[str, tuple[str, str]]) -> set[str]:
    """With the parts of every entry, and their parts."""
    kept: set[str] = set()
    todo = list(wanted)
    while todo:
        text = todo.pop()
        if text not in kept:
            kept.add(text)
            todo += made_by.get(text, ())
    return kept


def _first(size: int, stay: set[str], made_by: Mapping[str, tuple[str, str]], made: Iterable[str]) -> set[str]:
    """As many entries as asked for: what stays, then what merges make, in this order, with the parts of each."""
    kept = _closed(stay, made_by)
    if size < len(kept):
        raise InputError(
            f"{size} entries do not hold the characters and the special tokens", allowed=f"{len(kept)} or more"
        )
    for text in made:
        if len(kept) >= size:
            break
        if text not in kept:
            missing = _closed({text}, made_by) - kept
            if len(kept) + len(missing) <= size:  # else a shorter one may still fit
                kept |= missing
    return kept
