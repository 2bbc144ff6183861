"""What a token may be, for the merge engine.

What enters: the choices of a trainer. What leaves: rules as the engine takes them (most characters, where word marks
stand, whether marks alone are free of that, classes of code points), or None where every pair may be joined. Promises:
a rule only forbids; what is learned under it is learned in the same order as without it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache

from textpipe.core._bpe_trainer import BARRIER, FIRST_SCRIPT, piece_classes
from textpipe.core._text import script_ranges

__all__ = ["UNLIMITED", "PieceShape", "Rules", "piece_rules", "token_rules"]

Rules = tuple[int, str, bool, list[tuple[int, int, int]]]

UNLIMITED = (1 << 64) - 1

_DIGITS = [(0x30, 0x39), (0xFF10, 0xFF19)]  # ASCII and full width


def token_rules(*, byte_level: bool, whole_characters: bool, scripts_apart: bool) -> Rules | None:
    """The rules of these choices.

    Parameters
    ----------
    whole_characters : of a byte-level alphabet, no token is more than a part of one character and less than whole ones.
    scripts_apart : no token has two of Hangul, Latin and digits; of a byte-level alphabet characters stay whole too.

    Examples
    --------
    >>> token_rules(byte_level=False, whole_characters=True, scripts_apart=False) is None
    True
    """
    if not scripts_apart and not (whole_characters and byte_level):
        return None
    return UNLIMITED, "anywhere", False, _classes_apart() if scripts_apart else []


@cache
def _classes_apart() -> list[tuple[int, int, int]]:
    apart = [_DIGITS, script_ranges("한"), script_ranges("a")]
    return sorted((*row, number) for number, rows in enumerate(apart, FIRST_SCRIPT) for row in rows)


# ---- pieces as sentencepiece cuts them


@dataclass(frozen=True, kw_only=True)
class PieceShape:
    """What a piece may be; the names are sentencepiece's."""

    max_piece_length: int = 16
    split_by_unicode_script: bool = True
    split_by_number: bool = True
    split_by_whitespace: bool = True
    split_digits: bool = False
    treat_whitespace_as_suffix: bool = False
    allow_whitespace_only_pieces: bool = False

    @property
    def spaces(self) -> str:
        """Where a word mark may stand."""
        if self.treat_whitespace_as_suffix:
            return "last only" if self.split_by_whitespace else "not first"
        return "first only" if self.split_by_whitespace else "not last"


def piece_rules(shape: PieceShape, used: Iterable[int], alphabet: Collection[int]) -> Rules:
    """The rules of sentencepiece 0.2.3 for the characters of a text; those outside the alphabet are in no piece."""
    codes = sorted(used)
    classes = piece_classes(shape, codes)
    rows = [(c, c, found if c in alphabet else BARRIER) for c, found in zip(codes, classes, strict=True)]
    return shape.max_piece_length, shape.spaces, shape.allow_whitespace_only_pieces, rows
