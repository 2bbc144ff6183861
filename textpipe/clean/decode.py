"""Bytes of a page in, text out, with how it was decided.

What enters: a body and what HTTP said of it. What leaves: :class:`Decoded`, or :class:`Undecodable`. The order is: byte
order mark → HTTP charset → what the first 4 KiB declare (meta or XML) → UTF-8 → CP949, each strictly; then the same
with a few damaged bytes; and only then a guess over the text without its tags, where statistics are not drowned in
ASCII markup. Labels mean what browsers mean by them (WHATWG Encoding): every Korean label is CP949, which has the 8,822
syllables EUC-KR lacks.

Where two declarations contradict, the decoding that could have failed and did not is believed: UTF-8 before the
double-byte sets, these before the single-byte sets, which fit any bytes; between equals, HTTP before the page.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import Final

__all__ = ["Decoded", "Undecodable", "codec_for_label", "declared_labels", "decode"]

_PRESCAN_BYTES = 4096
_GUESS_BYTES = 1 << 16
_MAX_BAD_SHARE = 0.001  # of all bytes …
_MAX_BAD_NON_ASCII_SHARE = 0.1  # … and of those that are not ASCII: a wrong charset spoils most of them


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text, the Python codec that gave it, why that one, and how many places were not decodable (U+FFFD)."""

    text: str
    charset: str
    charset_source: str
    num_replaced: int = 0


@dataclass(frozen=True, slots=True)
class Undecodable:
    """No charset fits; ``detail`` names what was tried."""

    detail: str


# The labels pages really use, grouped by the codec browsers give them (WHATWG Encoding, "Names and labels").
_LABELS: Final = {
    "utf-8": "utf-8 utf8 unicode-1-1-utf-8 unicode11utf8 unicode20utf8 x-unicode20utf8",
    "cp949": "euc-kr cseuckr csksc56011987 iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 windows-949"
    " cp949 ms949 uhc euckr euc_kr ks_c_5601 x-windows-949",
    "johab": "johab ks_c_5601-1992 cp1361 ms1361",
    "cp1252": "windows-1252 cp1252 x-cp1252 iso-8859-1 iso8859-1 iso_8859-1 iso88591 latin1 latin-1 l1 ascii us-ascii"
    " ansi_x3.4-1968 cp819 ibm819 iso-ir-100",
    "cp932": "cp932 shift_jis shift-jis sjis x-sjis ms932 ms_kanji csshiftjis windows-31j",
    "euc_jp": "euc-jp x-euc-jp cseucpkdfmtjapanese",
    "iso2022_jp": "iso-2022-jp csiso2022jp",
    "gb18030": "gb18030 gbk gb2312 gb_2312 gb_2312-80 chinese csgb2312 csiso58gb231280 iso-ir-58 x-gbk",
    "big5hkscs": "big5 big5hkscs big5-hkscs cn-big5 csbig5 x-x-big5",
    "utf-16-le": "utf-16 utf-16le unicode ucs-2 iso-10646-ucs-2 csunicode unicodefeff",
    "utf-16-be": "utf-16be unicodefffe",
    "cp1250": "windows-1250 cp1250 x-cp1250",
    "cp1251": "windows-1251 cp1251 x-cp1251",
    "cp1253": "windows-1253 cp1253 x-cp1253",
    "cp1254": "windows-1254 cp1254 x-cp1254 iso-8859-9 iso8859-9 latin5 l5",
    "cp1255": "windows-1255 cp1255 x-cp1255",
    "cp1256": "windows-1256 cp1256 x-cp1256",
    "cp1257": "windows-1257 cp1257 x-cp1257",
    "cp1258": "windows-1258 cp1258 x-cp1258",
    "cp874": "windows-874 tis-620 iso-8859-11 dos-874",
    "cp866": "ibm866 cp866 866 csibm866",
    "koi8_r": "koi8-r koi koi8 koi8_r cskoi8r",
    "koi8_u": "koi8-u koi8-ru",
    "mac_roman": "macintosh mac x-mac-roman csmacintosh",
    **{f"iso8859_{n}": f"iso-8859-{n} iso8859-{n} iso_8859-{n}" for n in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)},
}
_CODECS: Final = {label: codec for codec, labels in _LABELS.items() for label in labels.split()}

_DOUBLE_BYTE = frozenset({"cp949", "johab", "cp932", "euc_jp", "iso2022_jp", "gb18030", "big5hkscs"})
_ASCII_BUT_NOT = frozenset({"iso2022_jp", "utf-16-le", "utf-16-be"})  # sets that write other letters in ASCII bytes
# Servers send these as a default without looking at the page, so they say little.
_CARELESS = frozenset({"cp1252"})
# Old Mac and DOS sets are left out of a guess: they resemble everything and are on no page that declares nothing.
_GUESSABLE = (
    *("cp949", "johab", "cp932", "euc-jp", "gb18030", "big5hkscs", "cp1252", "cp1250", "cp1251", "koi8-r"),
    *("cp1253", "cp1254", "cp1255", "cp1256", "cp874"),
)

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark is its beginning
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_HTTP_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([^\s\"';,]+)", re.I)
_COMMENT = re.compile(rb"<!--.*?(?:-->|\Z)", re.S)
_META_CHARSET = re.compile(rb"<meta\b[^>]*?\bcharset\s*=\s*[\"']?\s*([\w.:-]+)", re.I)
_XML_ENCODING = re.compile(rb"\A\s*<\?xml[^>]*?\bencoding\s*=\s*[\"']([\w.:-]+)", re.I)
_TAGS = re.compile(rb"<[^<>]*>")
_NON_ASCII = re.compile(rb"[\x80-\xff]+")
_NON_ASCII_WORD = re.compile(rb"\S*[\x80-\xff]\S*")
_LONG_UTF8 = re.compile(rb"[\xe0-\xf4][\x80-\xbf]{2}")
_SHORT_UTF8 = re.compile(rb"[\xc2-\xdf][\x80-\xbf]")
# What Python's euc_kr codec writes for a syllable outside KS X 1001: filler, lead, vowel, tail (or filler again).
_FILLED_SYLLABLE = re.compile("\u3164([ㄱ-ㅎ])([ㅏ-ㅣ])([ㄱ-ㅎ\u3164])")
_LEADS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_TAILS = "\u3164ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"


def codec_for_label(label: str) -> str | None:
    """The Python codec for a charset label as browsers read it; None for a label nobody knows.

    >>> codec_for_label("KS_C_5601-1987"), codec_for_label("utf8"), codec_for_label("rot13")
    ('cp949', 'utf-8', None)
    """
    return _CODECS.get(label.strip().lower())


def declared_labels(body: bytes, content_type: str = "") -> list[tuple[str, str]]:
    """``(label, "http" | "meta" | "xml")`` for each charset declared, in the order of their authority."""
    labels = [(match[1], "http") for match in [_HTTP_CHARSET.search(content_type)] if match]
    head = body[:_PRESCAN_BYTES]
    for pattern, source in ((_META_CHARSET, "meta"), (_XML_ENCODING, "xml")):
        match = pattern.search(_COMMENT.sub(b"", head))
        if match:
            labels.append((match[1].decode("ascii", "replace"), source))
    return labels


def decode(body: bytes, *, content_type: str = "") -> Decoded | Undecodable:
    """Decode a page.

    Parameters
    ----------
    body : inflated bytes.
    content_type : the HTTP header, for its charset parameter.

    Returns
    -------
    Decoded
        ``charset_source`` is ``bom``, ``http``, ``meta``, ``xml``, ``utf-8`` (valid as such, whatever was declared),
        ``cp949`` (likewise), ``ascii`` or ``guess``.
    """
    for mark, codec in _BOMS:
        if body.startswith(mark):
            return _with_some_damage(body[len(mark) :], [(codec, "bom")]) or Undecodable(f"{codec} by its mark")
    unmarked = _unmarked_utf16(body)
    if unmarked is not None:
        found = _with_some_damage(body, [(unmarked, "guess")])
        if found is not None:
            return found
    declared = _known_codecs(body, content_type)
    if body.isascii() and not any(codec in _ASCII_BUT_NOT for codec, _ in declared):
        codec, source = declared[0] if declared else ("utf-8", "ascii")
        return Decoded(body.decode("ascii"), codec, source)
    found = _strictly(body, declared)
    if found is None:
        candidates = [*declared, ("utf-8", "utf-8"), ("cp949", "cp949")]
        found = _with_some_damage(body, candidates) or _guessed(body)
    if found is None:
        tried = ", ".join(dict.fromkeys([codec for codec, _ in declared] + ["utf-8", "cp949"]))
        return Undecodable(f"tried {tried} and a guess")
    return _repaired(found)


def _known_codecs(body: bytes, content_type: str) -> list[tuple[str, str]]:
    codecs_found: list[tuple[str, str]] = []
    for label, source in declared_labels(body, content_type):
        codec = codec_for_label(label)
        if codec is not None and source != "http" and codec.startswith("utf-16"):
            codec = "utf-8"  # the declaration could be read as ASCII, so it is not UTF-16 (WHATWG)
        if codec is not None and codec not in [known for known, _ in codecs_found]:
            codecs_found.append((codec, source))
    return codecs_found


def _strictly(body: bytes, declared: list[tuple[str, str]]) -> Decoded | None:
    """The best declared or self-evident charset under which no byte is wrong."""
    candidates = list(declared)
    names = [codec for codec, _ in declared]
    if "utf-8" not in names and _is_surely_utf8(body):
        candidates.append(("utf-8", "utf-8"))
    if not declared or set(names) <= _CARELESS:
        candidates += [("utf-8", "utf-8"), ("cp949", "cp949")]
    for codec, source in sorted(candidates, key=lambda candidate: _evidence(candidate[0])):  # stable between equals
        try:
            return Decoded(body.decode(codec), codec, source)
        except UnicodeDecodeError:
            continue
    return None


def _evidence(codec: str) -> int:
    """How much it says that bytes decode under a codec: 0 says most."""
    return 0 if codec == "utf-8" else 1 if codec in _DOUBLE_BYTE or codec.startswith("utf-") else 2


def _is_surely_utf8(body: bytes) -> bool:
    """Whether bytes are UTF-8 by more than chance.

    A Korean syllable in CP949 looks like a two-byte UTF-8 sequence in about one case of eleven, so a few of these prove
    nothing; longer sequences, or many, do.
    """
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return _LONG_UTF8.search(body) is not None or len(_SHORT_UTF8.findall(body)) >= 4


def _unmarked_utf16(body: bytes) -> str | None:
    """UTF-16 by its zero bytes: markup and spaces have one in each character, always on the same side."""
    head = body[:512]
    many = max(2, len(head) // 10)
    even, odd = head[::2].count(0), head[1::2].count(0)
    return "utf-16-le" if odd >= many and not even else "utf-16-be" if even >= many and not odd else None


def _with_some_damage(body: bytes, candidates: list[tuple[str, str]]) -> Decoded | None:
    """The candidate with the fewest undecodable places, if these are few enough to be damage and no wrong charset."""
    num_non_ascii = sum(map(len, _NON_ASCII.findall(body))) or 1
    best: Decoded | None = None
    for codec, source in candidates:
        text = body.decode(codec, "replace")
        num_bad = text.count("\ufffd") - (body.count(b"\xef\xbf\xbd") if codec == "utf-8" else 0)
        is_torn = num_bad == 1 and text.endswith("\ufffd")  # a page cut inside its last character
        is_damage = num_bad <= _MAX_BAD_SHARE * len(body) and num_bad <= _MAX_BAD_NON_ASCII_SHARE * num_non_ascii
        if not (is_torn or is_damage):
            continue
        if best is None or num_bad < best.num_replaced:
            best = Decoded(text, codec, source, num_bad)
    return best


def _guessed(body: bytes) -> Decoded | None:
    import chardet

    # Tags and plain ASCII words say nothing about the charset and would outvote a short Korean title.
    words = b" ".join(_NON_ASCII_WORD.findall(_TAGS.sub(b" ", body)))[:_GUESS_BYTES]
    guess = chardet.detect(words, include_encodings=_GUESSABLE)
    codec = codec_for_label(guess["encoding"] or "")
    return None if codec is None else _with_some_damage(body, [(codec, "guess")])


def _repaired(decoded: Decoded) -> Decoded:
    if decoded.charset != "cp949" or "\u3164" not in decoded.text:
        return decoded
    text = _FILLED_SYLLABLE.sub(_compose, decoded.text)
    return Decoded(text, decoded.charset, decoded.charset_source, decoded.num_replaced)


def _compose(match: re.Match[str]) -> str:
    lead, vowel, tail = _LEADS.find(match[1]), ord(match[2]) - ord("ㅏ"), _TAILS.find(match[3])
    return match[0] if lead < 0 or tail < 0 else chr(0xAC00 + (lead * 21 + vowel) * 28 + tail)
