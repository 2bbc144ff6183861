"""How near summaries are to those that people wrote: chrF, and ROUGE-L.

What enters: one summary and one reference a text. What leaves: both scores with intervals. ROUGE-L (Lin 2004) is the F1
of the longest run of units, gaps allowed, that both have in one order: of words in lower case, and in Korean of
characters without blanks, since an eojeol with another particle is another word and the same noun.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from textpipe.errors import InputError, LimitError
from textpipe.evaluation.bootstrap import Interval, bootstrap_interval
from textpipe.evaluation.labels import check_same_length
from textpipe.evaluation.translations import CorpusScore, is_korean, score_chrf
from textpipe.limits import DEFAULT_LIMITS, Limits

__all__ = ["SummaryScores", "Unit", "rouge_l", "score_summaries"]

Unit = Literal["characters", "words"]


@dataclass(frozen=True, slots=True)
class SummaryScores:
    """chrF (0 to 100) and the mean ROUGE-L (0 to 1), counted in ``unit``."""

    num_texts: int
    unit: Unit
    chrf: CorpusScore
    rouge_l: Interval

    def __str__(self) -> str:
        return f"ROUGE-L {self.rouge_l} by {self.unit}\tchrF {self.chrf}"


def rouge_l(summary: str, reference: str, unit: Unit, *, limits: Limits = DEFAULT_LIMITS) -> float:
    """The F1 of the longest common subsequence of two texts; 0 where either has no unit.

    Raises
    ------
    LimitError
        for a text that is too long to be a summary.

    Notes
    -----
    Time O(units of the one · units of the other / 64): a row of the table is one number (Hyyrö 2004).

    Examples
    --------
    >>> rouge_l("Police kill the gunman", "police killed the gunman", "words")
    0.75
    >>> rouge_l("도서관을 열었다", "도서관이 열었다", "characters")
    0.8571428571428571
    """
    one, other = _units(summary, unit), _units(reference, unit)
    if (longest := max(len(one), len(other))) > limits.summary_units:
        raise LimitError(f"a summary of {longest:,} {unit}", allowed=f"{limits.summary_units:,}")
    if not one or not other:
        return 0.0
    return 2 * _longest_common(one, other) / (len(one) + len(other))


def _units(text: str, unit: Unit) -> list[str]:
    text = unicodedata.normalize("NFC", text)
    return re.findall(r"\w+", text.lower()) if unit == "words" else [char for char in text if not char.isspace()]


def _longest_common(one: Sequence[str], other: Sequence[str]) -> int:
    places: dict[str, int] = {}
    for place, name in enumerate(one):
        places[name] = places.get(name, 0) | 1 << place
    whole = (1 << len(one)) - 1
    row = whole  # bit i is 0 where the longest common part grows with unit i of the one
    for name in other:
        grown = row & places.get(name, 0)
        row = ((row + grown) | (row - grown)) & whole
    return len(one) - row.bit_count()


def score_summaries(
    summaries: Sequence[str], references: Sequence[str], *, num_resamples: int = 1000, seed: int = 0
) -> SummaryScores:
    """Score summaries of a whole corpus.

    Parameters
    ----------
    summaries, references : one a text, in the same order.
    num_resamples, seed : of the bootstrap over texts; sacrebleu's, for chrF, has a seed of its own.

    Raises
    ------
    InputError
        for no text, different numbers of texts, or a reference of nothing.

    Examples
    --------
    >>> found = score_summaries(["새 도서관이 열렸다"], ["새 도서관이 열렸다"], num_resamples=10)
    >>> found.unit, found.rouge_l.value, round(found.chrf.value)
    ('characters', 1.0, 100)
    """
    check_same_length(references, summaries, "summaries")
    empty = next((number for number, text in enumerate(references, 1) if not text.strip()), None)
    if empty is not None:
        raise InputError("the reference is empty", where=f"text {empty}")
    unit: Unit = "characters" if is_korean(references) else "words"
    each_N = np.array([rouge_l(*both, unit) for both in zip(summaries, references, strict=True)])
    interval = bootstrap_interval(
        lambda drawn: float(each_N[drawn].mean()), len(each_N), num_resamples=num_resamples, seed=seed
    )
    return SummaryScores(len(each_N), unit, score_chrf(summaries, [references], num_resamples=num_resamples), interval)
