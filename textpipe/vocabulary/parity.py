"""Shares under which a token stands for as many bytes in every corpus.

What enters: the counts of each corpus, some text of each, and what trains a vocabulary. What leaves: shares. Promises:
the same shares for the same inputs; a bounded number of trainings, of which the one that came nearest counts.

A corpus whose text is cut finer than the others' gets more of the counts in the next round, by the fourth power of how
much finer: bytes a token go up slowly with the share, about by its fifth root.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction

from textpipe.core._word_counts import WordCounts
from textpipe.errors import InputError
from textpipe.tokenizer import Tokenizer
from textpipe.trainers.counting import Progress
from textpipe.vocabulary.corpora import weigh

__all__ = ["parity_shares"]

_ROUNDS = 8
_NEAR = Fraction(101, 100)  # of the largest to the smallest bytes a token: near enough to stop
_MOST_CHANGE = 8
_GRAIN = 10_000  # shares are whole parts of this


def parity_shares(
    counts: Mapping[str, WordCounts],
    texts: Mapping[str, Sequence[str]],
    train: Callable[[WordCounts], Tokenizer],
    *,
    progress: Progress | None = None,
) -> dict[str, Fraction]:
    """The shares of the corpora, by name.

    Parameters
    ----------
    counts, texts : of each corpus.
    train : makes a tokenizer of weighted counts.

    Raises
    ------
    InputError
        when a corpus has no text to measure on.
    """
    for name, sample in texts.items():
        if not any(sample):
            raise InputError(
                f"parity is measured on text, and {name or 'an input'} has none", hint="give its texts too"
            )
    shares = dict.fromkeys(counts, Fraction(1, len(counts)))
    best: tuple[Fraction, dict[str, Fraction]] | None = None
    for number in range(1, _ROUNDS + 1):
        if progress is not None:
            progress("parity", number, _ROUNDS, unit="trainings")
        tokenizer = train(weigh(list(counts.values()), [shares[name] for name in counts], keep=True))
        fits = {name: _bytes_per_token(tokenizer, sample) for name, sample in texts.items()}
        gap = max(fits.values()) / min(fits.values())
        if best is None or gap < best[0]:
            best = (gap, shares)
        if gap <= _NEAR:
            break
        shares = _next(shares, fits)
    assert best is not None
    return best[1]


def _bytes_per_token(tokenizer: Tokenizer, texts: Iterable[str]) -> Fraction:
    listed = list(texts)
    ids, _ = tokenizer.encode_to_numpy(listed, add_special_tokens=False)
    return Fraction(sum(len(text.encode()) for text in listed), max(len(ids), 1))


def _next(shares: Mapping[str, Fraction], fits: Mapping[str, Fraction]) -> dict[str, Fraction]:
    middle = sum(fits.values()) / len(fits)
    wanted = {}
    for name, share in shares.items():
        change = (middle / fits[name]) ** 4
        wanted[name] = share * min(max(change, Fraction(1, _MOST_CHANGE)), _MOST_CHANGE)
    total = sum(wanted.values())
    parts = {name: max(1, round(part / total * _GRAIN)) for name, part in wanted.items()}
    return {name: Fraction(part, sum(parts.values())) for name, part in parts.items()}
