"""The inputs of a training by name, and how much each of them counts.

What enters: paths, some of them as ``name=path``, and weights such as ``ko=0.5,en=0.5``. What leaves: corpora, and one
``WordCounts`` in which each corpus has its share of the bytes. Promises: whole-number arithmetic on the counts, so the
same inputs and weights give the same counts anywhere; a corpus is read once, whatever its weight.

Weighted counts are in units of 1/1024 of an occurrence: rounding then changes no word that came at least once by more
than a part in a thousand. Shares are of bytes of words, each word as often as it came.

    ko=0.5,en=0.5      shares as given
    equal              the same share for each
    temperature=0.3    shares go by size to the power of 0.3: 1 leaves them, 0 makes them equal
    parity             shares under which a token stands for as many bytes in each (:mod:`.parity`)
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

from textpipe.core._word_counts import WordCounts
from textpipe.errors import ConfigError, InputError, LimitError, did_you_mean

__all__ = ["UNITS", "Corpus", "Weights", "name_corpora", "weigh"]

UNITS = 1024
"""Weighted counts to an occurrence."""

_FACTOR_ONE = 1 << 20  # of WordCounts.scale
_FACTOR_END = 1 << 43
_NAMED = re.compile(r"([A-Za-z][\w-]{0,63})=(.+)", re.DOTALL)


@dataclass(frozen=True)
class Corpus:
    """Inputs that count together; the name is empty for those that have none."""

    name: str
    paths: tuple[Path, ...]


def name_corpora(inputs: Iterable[str | os.PathLike[str]]) -> list[Corpus]:
    """Inputs by their names, in the order of first mention; a path that exists as written has none.

    Examples
    --------
    >>> name_corpora(["ko=a.txt", "en=b.txt", "ko=c.txt"])
    [Corpus(name='ko', paths=(...Path('a.txt'), ...Path('c.txt'))), Corpus(name='en', paths=(...Path('b.txt'),))]
    """
    found: dict[str, list[Path]] = {}
    for item in inputs:
        text = os.fspath(item)
        named = None if os.path.exists(text) else _NAMED.fullmatch(text)
        found.setdefault(named[1] if named else "", []).append(Path(named[2] if named else text))
    return [Corpus(name, tuple(paths)) for name, paths in found.items()]


@dataclass(frozen=True)
class Weights:
    """How much each corpus counts."""

    kind: Literal["shares", "equal", "temperature", "parity"]
    shares: Mapping[str, Fraction]
    temperature: Fraction = Fraction(1)

    @classmethod
    def parse(cls, text: str) -> Weights:
        """Weights as a user writes them.

        Raises
        ------
        ConfigError
            when they are not of one of the four forms.

        Examples
        --------
        >>> Weights.parse("ko=0.75,en=0.25").shares
        {'ko': Fraction(3, 4), 'en': Fraction(1, 4)}
        """
        if text in ("equal", "parity"):
            return cls("equal" if text == "equal" else "parity", {})
        pairs = [part.partition("=") for part in text.split(",")]
        numbers = [(name.strip(), _number(value, text)) for name, _, value in pairs]
        if len(numbers) == 1 and numbers[0][0] == "temperature":
            if numbers[0][1] > 1:
                raise ConfigError(f"a temperature of {numbers[0][1]} widens the gaps", allowed="0 to 1")
            return cls("temperature", {}, numbers[0][1])
        shares = dict(numbers)
        if len(shares) < len(numbers):
            raise ConfigError(f"a name stands twice in the weights {text!r}")
        total = sum(shares.values())
        if total == 0:
            raise ConfigError(f"the weights {text!r} leave nothing", allowed="at least one above 0")
        return cls("shares", {name: share / total for name, share in shares.items()})

    def require_names(self, corpora: Iterable[str]) -> None:
        """Refuse weights for other corpora than these.

        Raises
        ------
        ConfigError
            when the names of the weights are not those of the corpora.
        """
        if self.kind != "shares":
            return
        known = list(corpora)
        for name in (*self.shares, *known):
            if name not in known:
                names = [each for each in known if each]
                hint = did_you_mean(name, names) if names else f"name one on the command line: {name}=PATH"
                raise ConfigError(f"no input is named {name!r}", where="weights", hint=hint)
            if name not in self.shares:
                raise ConfigError(f"the weights do not name {name or 'inputs without a name'}", where="weights")

    def of(self, sizes: Mapping[str, int]) -> dict[str, Fraction]:
        """The share of each corpus, given its size in bytes; parity begins with equal shares.

        Raises
        ------
        ConfigError
            when the names of the weights are not those of the corpora.
        """
        self.require_names(sizes)
        if self.kind == "shares":
            return dict(self.shares)
        if self.kind == "temperature":
            # a power is no fraction; a part in a million is near enough, and the same everywhere
            powers = {n: Fraction(round(float(size) ** float(self.temperature) * 1e6)) for n, size in sizes.items()}
            return {name: power / sum(powers.values()) for name, power in powers.items()}
        return {name: Fraction(1, len(sizes)) for name in sizes}


def _number(text: str, whole: str) -> Fraction:
    try:
        number = Fraction(text.strip())
    except (ValueError, ZeroDivisionError):
        number = Fraction(-1)
    if number < 0 or "/" in text or len(text) > 20:
        raise ConfigError(
            f"{whole!r} are no weights", allowed="ko=0.5,en=0.5 or equal or temperature=0.3 or parity", where="weights"
        )
    return number


def weigh(counts: Sequence[WordCounts], shares: Sequence[Fraction], *, keep: bool) -> WordCounts:
    """One count of all corpora, in units of 1/1024, in which each has its share of the bytes.

    Parameters
    ----------
    keep : leave ``counts`` as they are; else they are emptied one by one, for less memory.

    Raises
    ------
    InputError
        when a corpus that has a share has no words.
    LimitError
        when a corpus would count more than 2**13 times what it has.
    """
    sizes = [each.num_text_bytes for each in counts]
    total = sum(sizes)
    whole = WordCounts(byte_level=counts[0].byte_level)
    for number, (each, size, share) in enumerate(zip(counts, sizes, shares, strict=True), 1):
        if size == 0 and share > 0:
            raise InputError(f"input {number} of {len(counts)} has a weight and no words")
        if share > 0:
            factor = round(share * total / size * UNITS * _FACTOR_ONE)
            if factor >= _FACTOR_END:
                raise LimitError(
                    f"input {number} of {len(counts)} would count {share * total // size:,} times what it has",
                    allowed=f"below {_FACTOR_END // _FACTOR_ONE // UNITS:,}",
                    hint="give it less weight, or more text",
                )
            part = each
            if keep:
                part = WordCounts(byte_level=each.byte_level)
                part.merge(each)
            part.scale(factor)
            whole.merge(part)
        if not keep:
            each.clear()
    whole.pack()
    return whole
