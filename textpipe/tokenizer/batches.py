"""The door that texts come in by.

What enters: what a caller calls texts, pairs or words, and a number of threads. What leaves: lists of them. Promises:
any iterable is read once, whole; what is no text is refused with its number, and so is what only looks like several:
one string, a dictionary, a set, whose order means nothing.
"""

from __future__ import annotations

import operator
import os
from collections.abc import Iterable, Mapping, Set
from typing import Any

from textpipe.errors import InputError, WrongTypeError, a_kind
from textpipe.limits import DEFAULT_LIMITS

__all__ = ["batch_of", "checked_threads", "parts_of_item", "text_of", "texts_of", "words_of"]


def batch_of(batch: Any) -> list[Any]:
    """The items of a batch.

    Raises
    ------
    InputError
        when it is no batch.

    Examples
    --------
    >>> batch_of(word.upper() for word in ["a", "b"])
    ['A', 'B']
    """
    if isinstance(batch, list):
        return batch
    if isinstance(batch, str | bytes):
        raise WrongTypeError(f"a batch is a list of texts, not one {type(batch).__name__}", hint="pass [text]")
    if isinstance(batch, Mapping | Set) or not isinstance(batch, Iterable):
        raise WrongTypeError(f"a batch is a list of texts, not {a_kind(batch)}", hint="pass list(texts)")
    return list(batch)


def texts_of(batch: Any) -> list[str]:
    """The same where every item is to be a text."""
    texts = batch_of(batch)
    for number, text in enumerate(texts):
        if not isinstance(text, str):
            raise WrongTypeError(f"a text is a str, not {a_kind(text)}", where=f"text {number}")
    return texts


def parts_of_item(item: Any, number: int, is_pretokenized: bool) -> list[Any]:
    """The one text or the two of an item of a batch."""
    if isinstance(item, str):
        return [item]
    if not isinstance(item, list | tuple):
        kind = "a list of words" if is_pretokenized else "a text"
        raise WrongTypeError(f"item {number} of the batch is {a_kind(item)}", allowed=f"{kind}, or two of them")
    if is_pretokenized and not (len(item) == 2 and not any(isinstance(part, str) for part in item)):
        return [item]
    if len(item) != 2:
        raise InputError(
            f"item {number} of the batch has {len(item)} parts",
            allowed="a text, or two of them",
            hint="pass is_pretokenized=True for lists of words",
        )
    return list(item)


def text_of(text: Any) -> str:
    """One text that is to be encoded as such.

    Raises
    ------
    InputError
        when it is none.
    """
    if isinstance(text, str):
        return text
    raise WrongTypeError(f"a text is a str, not {a_kind(text)}", hint="pass is_pretokenized=True for a list of words")


def words_of(sequence: Any) -> list[str]:
    """The words of a text that was cut beforehand."""
    if isinstance(sequence, Iterable) and not isinstance(sequence, str | Mapping | Set):
        words = list(sequence)
        if all(isinstance(word, str) for word in words):
            return words
    raise WrongTypeError("with is_pretokenized=True a text is a list of words", allowed="a list of str")


def checked_threads(threads: int | None) -> int:
    """How many threads encode; by default as many as there are processors for this process."""
    if threads is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if isinstance(threads, bool) or not hasattr(threads, "__index__"):
        raise WrongTypeError(f"threads is {threads!r:.40}", allowed="a whole number")
    if not 1 <= operator.index(threads) <= DEFAULT_LIMITS.threads:
        raise InputError(f"{threads} threads cannot encode", allowed=f"1 to {DEFAULT_LIMITS.threads}")
    return operator.index(threads)
