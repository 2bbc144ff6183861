"""Which language a text is in, from its scripts first.

What enters: text, and the language its page claims. What leaves: ``ko``, ``en``, ``ja``, ``zh`` or ``und`` and a score
in [0, 1]. Scripts decide all they can: nothing but Korean is written in Hangul, and a page that is one fifth Hangul is
a Korean page with English in it. Latin letters say little by themselves, so English must also show its function words.
No model is loaded and nothing is downloaded; a language nobody asked for is ``und``, not a wrong guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import regex

from textpipe.clean.stages import Drop
from textpipe.records import Document

__all__ = ["LANGUAGES", "LanguageFilter", "ScriptShares", "identify", "script_shares"]

LANGUAGES: Final = ("ko", "en", "ja", "zh", "und")  # all that identify tells apart

MIN_HANGUL_SHARE = 0.2  # of the letters: Korean text mixed with English is Korean
_MIN_HANGUL_AMONG_HANJA = 0.1  # Chinese has none at all, old Korean newspapers have little more than particles
_MIN_KANA_SHARE = 0.1
_MIN_HAN_SHARE = 0.5
_MIN_LATIN_SHARE = 0.7
_MIN_FUNCTION_WORDS = 0.1  # English prose has 0.35 to 0.5, tables and product lists less, other languages under 0.05
_MIN_FUNCTION_WORDS_CLAIMED = 0.03  # when the page says it is English
_MAX_WORDS = 4000

_OTHER, _HANGUL, _LATIN, _KANA, _HAN = 1, 2, 3, 4, 5
# Rows of first code point, last, script; digits, signs and what is in no row are no letters.
_RANGES: Final = (
    (0x41, 0x5A, _LATIN),
    (0x61, 0x7A, _LATIN),
    (0xC0, 0x24F, _LATIN),
    (0x250, 0x2AF, _OTHER),
    (0x370, 0x10FF, _OTHER),
    (0x1100, 0x11FF, _HANGUL),
    (0x1200, 0x1DBF, _OTHER),
    (0x1E00, 0x1EFF, _LATIN),
    (0x1F00, 0x1FFF, _OTHER),
    (0x2C00, 0x2DFF, _OTHER),
    (0x3041, 0x30FF, _KANA),
    (0x3131, 0x318E, _HANGUL),
    (0x31F0, 0x31FF, _KANA),
    (0x3400, 0x9FFF, _HAN),
    (0xA000, 0xA95F, _OTHER),
    (0xA960, 0xA97F, _HANGUL),
    (0xA980, 0xABFF, _OTHER),
    (0xAC00, 0xD7FF, _HANGUL),
    (0xF900, 0xFAFF, _HAN),
    (0xFB1D, 0xFDFF, _OTHER),
    (0x10000, 0x1BFFF, _OTHER),
    (0x20000, 0x3FFFF, _HAN),
)
_OWN_WORDS = """
the of and to in is that for it with as was on be at by this have from or an are not you which but they his her were we
can all there been their has would what will if more when who so said its about than into them only some could these
may then do first any my now such like our over after also how must your should no i he she
"""
_ENGLISH: Final = frozenset(_OWN_WORDS.split())
# Written the same in another language and common there: they count for English only beside the rest.
_SHARED: Final = _ENGLISH & frozenset(("on", "an", "as", "in", "is", "was", "no", "i", "so", "do", "her", "his", "we"))
_WORD = regex.compile(r"[\p{Latin}'’]+")


@dataclass(frozen=True, slots=True)
class ScriptShares:
    """The share of each script among the letters, and how many letters there are."""

    hangul: float
    latin: float
    kana: float
    han: float
    num_letters: int


def _build_table() -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    table = np.zeros(0x40000, dtype=np.uint8)
    for first, last, script in _RANGES:
        table[first : last + 1] = script
    table[[0xD7, 0xF7]] = 0  # × and ÷ stand among the Latin letters
    table[0x30FB] = 0  # the middle dot of kana
    return table


_TABLE = _build_table()


def script_shares(text: str) -> ScriptShares:
    """Count letters by script.

    Notes
    -----
    One table look-up a character: linear, about 100 million characters a second.
    """
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    counts = np.bincount(_TABLE[codes[codes < len(_TABLE)]], minlength=6)
    total = int(counts[1:].sum())
    shares = counts / max(total, 1)
    hangul, latin, kana, han = (float(shares[script]) for script in (_HANGUL, _LATIN, _KANA, _HAN))
    return ScriptShares(hangul, latin, kana, han, total)


def identify(text: str, *, claimed: str = "") -> tuple[str, float]:
    """Tell the language of a text.

    Parameters
    ----------
    text : in NFC; decomposed Hangul counts as Hangul too, but as more letters.
    claimed : what the page says (``<html lang>``), which lowers what English must show and decides nothing else.

    Returns
    -------
    tuple of str and float
        the code and the share of the letters that are of that language's script (for Korean Hangul and Hanja); for
        English that share times the evidence of its function words.

    Examples
    --------
    >>> identify("오늘 deploy는 CI가 green이면 합니다")[0]
    'ko'
    """
    shares = script_shares(text)
    if shares.num_letters == 0:
        return "und", 0.0
    cjk = shares.hangul + shares.han + shares.kana
    is_hanja_heavy = cjk >= _MIN_HAN_SHARE and shares.hangul >= _MIN_HANGUL_AMONG_HANJA * cjk
    if (shares.hangul >= MIN_HANGUL_SHARE or is_hanja_heavy) and shares.hangul >= shares.kana:
        return "ko", round(shares.hangul + shares.han, 4)
    if shares.kana >= _MIN_KANA_SHARE:
        return "ja", round(shares.kana + shares.han, 4)
    if shares.han >= _MIN_HAN_SHARE:
        return "zh", round(shares.han, 4)
    if shares.latin >= _MIN_LATIN_SHARE:
        evidence = _english_evidence(text, claimed)
        if evidence > 0:
            return "en", round(shares.latin * evidence, 4)
    return "und", round(max(shares.hangul, shares.latin, shares.kana, shares.han), 4)


def _english_evidence(text: str, claimed: str) -> float:
    """How sure English is, 0 to 1, by the share of function words and of plain ASCII letters."""
    words = [match[0].lower() for match in _WORD.finditer(text[: _MAX_WORDS * 10])][:_MAX_WORDS]
    num_own = sum(word in _ENGLISH and word not in _SHARED for word in words)
    num_shared = sum(word in _SHARED for word in words)
    share = (num_own + min(num_own, num_shared)) / max(len(words), 1)
    num_foreign = sum(not word.isascii() and "’" not in word for word in words)
    needed = _MIN_FUNCTION_WORDS_CLAIMED if claimed.lower().startswith("en") else _MIN_FUNCTION_WORDS
    if share < needed or num_foreign > 0.1 * len(words):
        return 0.0
    return min(1.0, 0.5 + share / (2 * 0.3))


class LanguageFilter:
    """The stage: sets ``lang`` and ``lang_score``; drops a document whose language is not among ``langs``."""

    name = "language"

    def __init__(self, langs: Sequence[str] = ("ko", "en")) -> None:
        self.langs = tuple(langs)

    def __call__(self, document: Document) -> Document | Drop:
        lang, score = identify(document.text, claimed=document.metadata.get("html_lang", ""))
        if self.langs and lang not in self.langs:
            return Drop(f"lang_{lang}", f"{lang} {score:.2f}; wanted {', '.join(self.langs)}")
        return replace(document, lang=lang, lang_score=score)
