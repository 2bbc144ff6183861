"""Words that carry their space, as sentencepiece cuts them.

What enters: text. What leaves: spaces made visible as ▁, one of them before the text, and the text cut before each.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from textpipe.errors import InputError, did_you_mean
from textpipe.normalizers.aligned import AlignedText
from textpipe.pattern import find
from textpipe.pre_tokenizers.base import PreTokenizer
from textpipe.pre_tokenizers.split import divide

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

    def apply(self, text: AlignedText) -> list[AlignedText]:
        """The words with their spaces."""
        mark = self.replacement
        text = text.respelled(text.text.replace(" ", mark))
        begins = self.prepend_scheme == "always" or (self.prepend_scheme == "first" and text.offsets[0] == 0)
        if begins and not text.text.startswith(mark):
            text = text.prepended(mark)
        if not self.split:
            return [text] if text.text else []
        return divide(text, find(mark, text.text), "merged_with_next")

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
