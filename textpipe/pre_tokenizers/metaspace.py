"""Words that carry their space, as sentencepiece cuts them.

What enters: text. What leaves: spaces made visible as ▁, one of them before the text, and the text cut before each.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from textpipe.core import _steps
from textpipe.errors import InputError, did_you_mean
from textpipe.pre_tokenizers.base import NativeCut, PreTokenizer
from textpipe.pre_tokenizers.split import BEHAVIOR_NUMBERS

__all__ = ["PREPEND_SCHEMES", "Metaspace", "check_metaspace"]

PREPEND_SCHEMES: Collection[str] = ("always", "first", "never")
"""When a space is put before: to every text, to the one at the very start, to none."""


@dataclass(eq=False, repr=False)
class Metaspace(PreTokenizer):
    """Make spaces visible and cut before them.

    Parameters
    ----------
    replacement : the character that stands for a space.
    prepend_scheme : ``always`` puts one before text that has none, also after an added token; ``first`` only at the
        very start; ``never``.
    split : cut at all.

    Examples
    --------
    >>> [word for word, _ in Metaspace().pre_tokenize_str("안녕 세상")]
    ['▁안녕', '▁세상']
    """

    replacement: str = "▁"
    prepend_scheme: str = "always"
    split: bool = True

    def __post_init__(self) -> None:
        check_metaspace(self.replacement, self.prepend_scheme)

    def native_cut(self) -> NativeCut:
        """A rewrite, and a cut where it is asked for."""
        prepend = tuple(PREPEND_SCHEMES).index(self.prepend_scheme)
        rewrite = _steps.metaspace(self.replacement, prepend)
        if not self.split:
            return NativeCut((rewrite,))
        return NativeCut((rewrite, _steps.literal_split(self.replacement, BEHAVIOR_NUMBERS["merged_with_next"], False)))

    def to_dict(self) -> dict[str, Any]:
        """Type and arguments."""
        return {
            "type": "Metaspace",
            "replacement": self.replacement,
            "prepend_scheme": self.prepend_scheme,
            "split": self.split,
        }


def check_metaspace(replacement: str, prepend_scheme: str) -> None:
    """Refuse a replacement that is no character, and an unknown scheme."""
    if len(replacement) != 1:
        raise InputError(f'Metaspace replaces spaces by "{replacement}"', allowed="one character")
    if prepend_scheme not in PREPEND_SCHEMES:
        raise InputError(
            f'no such prepend_scheme: "{prepend_scheme}"',
            allowed=", ".join(PREPEND_SCHEMES),
            hint=did_you_mean(prepend_scheme, PREPEND_SCHEMES),
        )
