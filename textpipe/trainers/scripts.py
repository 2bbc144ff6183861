"""The script of each character, as the trainers of sentencepiece 0.2.3 see it.

What enters: the table in :mod:`textpipe.core.script_ranges`. What leaves: ranges of code points with the name of their
script. Promises: that package's script at every code point; kana, and the mark of a long vowel, are Han there.
"""

from __future__ import annotations

from functools import cache

from textpipe.core.script_ranges import SCRIPTS

__all__ = ["COMMON", "INHERITED", "sentencepiece_scripts"]

COMMON = "Common"
INHERITED = "Inherited"  # of the script of the character before

_LONG_VOWEL = 0x30FC


@cache
def sentencepiece_scripts() -> list[tuple[int, int, str]]:
    """(first, last, script) of every range that is not Common, ascending.

    >>> (0xAC00, 0xD7A3, "Hangul") in sentencepiece_scripts()
    True
    """
    rows = [(_LONG_VOWEL, _LONG_VOWEL, "Han")]
    script = ""
    for word in SCRIPTS.split():
        if word.endswith(":"):
            script = "Han" if word in ("Hiragana:", "Katakana:") else word[:-1]
        else:
            first, _, last = word.partition("-")
            rows.append((int(first, 16), int(last or first, 16), script))
    return sorted(rows)
