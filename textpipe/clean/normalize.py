"""The same text in one form.

What enters: any str. What leaves: text in NFC with one kind of newline and of space, without characters that show
nothing, and how many of each kind were changed. Promises: applying it twice changes nothing more; its time is linear
whatever the text; letters and emoticons stay as written. Never NFKC: it turns ㅋㅋㅠ into ᄏ큐, ㈜ into (주).

    newlines     CR LF, CR, NEL, line and paragraph separators → LF
    spaces       every Unicode space → U+0020; none at line ends; at most one blank line in a row
    invisible    zero-width, bidirectional and other controls, soft hyphens, fillers, lone surrogates → removed
    private      private-use characters, which mean something only with one font → removed
    joiners      ZWJ and ZWNJ → removed, but between emoji and in the scripts that spell with them
    full_width   Ａ１ → A1; ，！ → ,! unless the text is mainly Han and kana; half-width Hangul ﾡ → ㄱ
    marks        more than 30 combining marks in a row → 30
    jamo         a modern conjoining jamo alone, ᄒ → ㅎ (a whole NFD syllable → 한 by NFC; old Hangul stays)
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import replace
from typing import Final

import regex

from textpipe.clean.stages import Drop
from textpipe.records import Document

__all__ = ["Normalize", "normalize"]

_MAX_MARKS = 30  # the stream-safe length of UAX #15: no orthography comes near it
_MAX_PASSES = 8

_NEWLINE = regex.compile(r"\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_SPACE = regex.compile(r"[\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_BLANK_LINES = regex.compile(r"\n{3,}")
# Tag characters belong to a few flags, right behind a black one; anywhere else they are a way to hide text.
_INVISIBLE = regex.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164"
    r"\ud800-\udfff\ufdd0-\ufdef\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff]"
    r"|(?<!\U0001f3f4[\U000e0020-\U000e007f]{0,8})[\U000e0000-\U000e0fff&&[^\U000e0100-\U000e01ef]]"
    r"|(?<![\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff])[\u115f\u1160]++(?![\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff])",
    regex.V1,
)
_PRIVATE = regex.compile(r"[\ue000-\uf8ff\U000f0000-\U0010ffff]")
_SPELLS_WITH_JOINERS = (
    r"[\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f\p{Arabic}\u064b-\u065f\p{Devanagari}\p{Bengali}\p{Gurmukhi}"
    r"\p{Gujarati}\p{Oriya}\p{Tamil}\p{Telugu}\p{Kannada}\p{Malayalam}\p{Sinhala}\p{Khmer}\p{Myanmar}\p{Mongolian}]"
)
_JOINER = regex.compile(rf"(?<!{_SPELLS_WITH_JOINERS})[\u200c\u200d]|[\u200c\u200d](?!{_SPELLS_WITH_JOINERS})")
_EXTRA_MARKS = regex.compile(rf"(?<=\P{{ccc=0}}{{{_MAX_MARKS}}})\P{{ccc=0}}++")
_WIDE_ALNUM = regex.compile(r"[０-９Ａ-Ｚａ-ｚ]")
_WIDE_PUNCTUATION = regex.compile(r"[！-／：-＠［-｀｛-～￠￡￥￦]")
_HALF_WIDTH_HANGUL = regex.compile(r"[\uffa1-\uffbe\uffc2-\uffc7\uffca-\uffcf\uffd2-\uffd7\uffda-\uffdc]")
_KOREAN_OR_LATIN = regex.compile(r"[\p{Hangul}\p{Latin}]")
_HAN_OR_KANA = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}]")
_JAMO = regex.compile(r"[\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]+")

_WIDE: Final = {
    **{chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},
    **dict(zip("￠￡￥￦", "¢£¥₩", strict=True)),
}
_HALF: Final = {
    chr(first + i): chr(to + i)
    for first, last, to in (
        (0xFFA1, 0xFFBE, 0x3131),
        (0xFFC2, 0xFFC7, 0x314F),
        (0xFFCA, 0xFFCF, 0x3155),
        (0xFFD2, 0xFFD7, 0x315B),
        (0xFFDA, 0xFFDC, 0x3161),
    )
    for i in range(last - first + 1)
}
_COMPATIBILITY_JAMO: Final = {
    **dict(zip(map(chr, range(0x1100, 0x1113)), "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ", strict=True)),
    **dict(zip(map(chr, range(0x1161, 0x1176)), map(chr, range(0x314F, 0x3164)), strict=True)),
    **dict(zip(map(chr, range(0x11A8, 0x11C3)), "ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ", strict=True)),
}
# One look decides for most text that none of the rules can apply. What is not listed here (marks and jamo, say) takes
# the long way; what is listed can only change by NFC itself, which is linear where there are no marks.
_UNUSUAL = re.compile(
    "[^\t\n -~\u00a1-\u00ac\u00ae-\u02ff\u0370-\u0482\u048a-\u052f\u2010-\u2027\u2030-\u205e\u20a0-\u20cf\u2100-\u2bff"
    "\u3001-\u3029\u3030-\u3098\u309b-\u3163\u3165-\u9fff\uac00-\ud7a3]"
)


def normalize(text: str) -> tuple[str, dict[str, int]]:
    """Bring a text into one form.

    Parameters
    ----------
    text : any str, lone surrogates and hostile runs of marks included.

    Returns
    -------
    tuple of str and dict
        the text, and for each kind of the table above how many characters (for jamo: runs) were changed.

    Notes
    -----
    Removing a character can bring two together that compose, so passes repeat until one changes nothing.

    Examples
    --------
    >>> normalize("\\ufeff１２시\\u3000ㅋㅋㅠ\\r\\n")
    ('12시 ㅋㅋㅠ', {'full_width': 2, 'invisible': 1})
    """
    counts: Counter[str] = Counter()
    for _ in range(_MAX_PASSES):
        before = text
        text = _one_pass(text, counts)
        if text == before:
            break
    return text, dict(sorted(counts.items()))


def _one_pass(text: str, counts: Counter[str]) -> str:
    if _UNUSUAL.search(text):
        text = _SPACE.sub(" ", _NEWLINE.sub("\n", text))
        text = _removed(text, _INVISIBLE, "invisible", counts)
        text = _removed(text, _PRIVATE, "private", counts)
        text = _removed(text, _JOINER, "joiners", counts)
        text = _mapped(text, counts)
        text = _removed(text, _EXTRA_MARKS, "marks", counts)  # before NFC, which is quadratic in a run of them
        text = unicodedata.normalize("NFC", text)
        text = _removed(text, _EXTRA_MARKS, "marks", counts)  # and after, as NFC also takes letters apart
        text = _JAMO.sub(lambda run: _spelled_out(run[0], counts), text)
    else:
        text = unicodedata.normalize("NFC", text)
    if " \n" in text or "\t\n" in text:
        text = "\n".join(line.rstrip(" \t") for line in text.split("\n"))
    return _BLANK_LINES.sub("\n\n", text).strip(" \t\n")


def _removed(text: str, pattern: regex.Pattern[str], kind: str, counts: Counter[str]) -> str:
    shorter = pattern.sub("", text)
    if len(shorter) != len(text):
        counts[kind] += len(text) - len(shorter)
    return shorter


def _mapped(text: str, counts: Counter[str]) -> str:
    text, num_alnum = _WIDE_ALNUM.subn(lambda match: _WIDE[match[0]], text)
    text, num_half = _HALF_WIDTH_HANGUL.subn(lambda match: _HALF[match[0]], text)
    num_wide = num_alnum + num_half
    if _WIDE_PUNCTUATION.search(text) and not _is_han_or_kana(text):
        text, num_punctuation = _WIDE_PUNCTUATION.subn(lambda match: _WIDE[match[0]], text)
        num_wide += num_punctuation
    if num_wide:
        counts["full_width"] += num_wide
    return text


def _is_han_or_kana(text: str) -> bool:
    """Whether full-width punctuation is the text's own; brackets come in pairs, so one rule holds for all of it."""
    return len(_HAN_OR_KANA.findall(text)) > len(_KOREAN_OR_LATIN.findall(text))


def _spelled_out(run: str, counts: Counter[str]) -> str:
    """Lone modern jamo as letters of their own; a run with an old letter in it is an old syllable and stays."""
    if not all(map(_COMPATIBILITY_JAMO.get, run)):
        return run
    counts["jamo"] += 1
    return "".join(map(_COMPATIBILITY_JAMO.__getitem__, run))


class Normalize:
    """The stage: :func:`normalize` on text and title, its counts kept as ``normalize.KIND`` in the metadata."""

    name = "normalize"

    def __call__(self, document: Document) -> Document | Drop:
        text, counts = normalize(document.text)
        title = " ".join(normalize(document.title)[0].split())
        noted = {f"{self.name}.{kind}": str(number) for kind, number in counts.items()}
        return replace(document, text=text, title=title, metadata={**document.metadata, **noted})
