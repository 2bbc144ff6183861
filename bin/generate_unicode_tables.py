"""Write textpipe/core/cpp/unicode_tables.hpp from the Unicode Character Database.

What enters: two folders, each holding one version of the PyPI package ``unicodedata2``. What leaves: the header, with
the versions written in it. Run by hand when a version changes:

    python -m pip install --target ucd16 unicodedata2==16.0.0
    python -m pip install --target ucd17 unicodedata2==17.0.0
    python bin/generate_unicode_tables.py ucd16 ucd17

Why several versions: the header follows what `tokenizers` 0.23.3 does, and its parts follow different ones. Letters,
numbers and word characters of its pattern engines are Unicode 16, numeric digits and lower case are Unicode 17, and
its normalization forms stop at Unicode 9. tests/core/test_unicode.py compares every code point.
"""

import importlib
import sys
import unicodedata as python_ucd
from collections.abc import Iterable
from pathlib import Path

import regex

HEADER = Path(__file__).resolve().parent.parent / "textpipe" / "core" / "cpp" / "unicode_tables.hpp"
CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
PAGE = 128

LETTER, NUMBER, SPACE, WORD, NUMERIC = 1, 2, 4, 8, 16
# General categories, in the order of unicode.hpp; "C" is all that has none of the others.
LETTERS_MARKS_NUMBERS = ("Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No")
SIGNS_AND_OTHERS = ("Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "C")
CATEGORIES = (*LETTERS_MARKS_NUMBERS, *SIGNS_AND_OTHERS)
NEWLINE, CONTROL_SPACE = len(CATEGORIES), len(CATEGORIES) + 1  # cut out of Cc
NFC_MAYBE, NFD_NO, NFKC_MAYBE, NFKD_NO = 1, 2, 4, 8

# Code points with a combining class or a decomposition that were assigned after Unicode 9.0: here they are inert.
AFTER_UNICODE_9 = """
7FD 897-89F 8CA-8D3 9FE C3C D3B-D3C EBA 1715 1ABF-1ACE 1DF6-1DFA 32FF A7F2-A7F4 A82C AB69 105C9 105E4 10781-10785
10787-107B0 107B2-107BA 10D24-10D27 10D69-10D6D 10EAB-10EAC 10EFD-10EFF 10F46-10F50 10F82-10F85 11070 1133B 11383 11385
1138E 11391 113C5 113C7-113C8 113CE-113D0 1145E 11839-1183A 11938 1193D-1193E 11943 119E0 11A34 11A47 11A99 11D42
11D44-11D45 11D97 11F41-11F42 16121-16128 1612F 16D68-16D6A 16FF0-16FF1 1CCD6-1CCF9 1E030-1E06D 1E08F 1E130-1E136 1E2AE
1E2EC-1E2EF 1E4EC-1E4EF 1E5EE-1E5EF 1F16C 1FBF0-1FBF9
"""


def load_ucd(folder: str):
    """Import ``unicodedata2`` from one folder, forgetting the version imported before."""
    sys.modules.pop("unicodedata2", None)
    sys.path.insert(0, folder)
    try:
        return importlib.import_module("unicodedata2")
    finally:
        sys.path.pop(0)


def parse_ranges(text: str) -> set[int]:
    found: set[int] = set()
    for word in text.split():
        first, _, last = word.partition("-")
        found.update(range(int(first, 16), int(last or first, 16) + 1))
    return found


def properties(ucd16, ucd17) -> list[int]:
    """One byte of LETTER … NUMERIC flags a code point."""
    flags = [0] * 0x110000
    alphabetic = regex.compile(r"[\p{Alphabetic}\p{Join_Control}]")
    for c in CODE_POINTS:
        char = chr(c)
        category = ucd16.category(char)
        if category[0] == "L":
            flags[c] |= LETTER
        elif category[0] == "N":
            flags[c] |= NUMBER
        if regex.match(r"\s", char):
            flags[c] |= SPACE
        # Annex C of UTS #18: alphabetic, marks, decimal digits, connector punctuation and the joiners.
        if category != "Cn" and (category[0] == "M" or category in ("Nd", "Pc") or alphabetic.match(char)):
            flags[c] |= WORD
        if ucd17.category(char)[0] == "N":
            flags[c] |= NUMERIC
    return flags


def categories(ucd16) -> list[int]:
    """The number of the category of each code point."""
    numbers = {name: number for number, name in enumerate(CATEGORIES)}
    found = [numbers["C"]] * 0x110000
    for c in CODE_POINTS:
        char = chr(c)
        if char in "\r\n":
            found[c] = NEWLINE
        elif char in "\t\v\f\x85":
            found[c] = CONTROL_SPACE
        else:
            found[c] = numbers.get(ucd16.category(char), numbers["C"])
    return found


def lower_case(ucd17) -> dict[int, int]:
    """Simple lower-case mappings; Python's own table, and for newer capitals the letter named the same but SMALL."""
    mapping = {}
    for c in CODE_POINTS:
        low = chr(c).lower()
        if low != chr(c) and len(low) == 1:
            mapping[c] = ord(low)
        elif python_ucd.category(chr(c)) == "Cn" and ucd17.category(chr(c)) == "Lu":
            try:
                mapping[c] = ord(ucd17.lookup(ucd17.name(chr(c)).replace("CAPITAL", "SMALL")))
            except KeyError:
                continue  # a capital without a small letter
    return {c: low for c, low in mapping.items() if c != low}


def decompositions(ucd, form: str, ignored: set[int]) -> dict[int, str]:
    """Full decompositions, Hangul left out (it is computed)."""
    found = {}
    for c in CODE_POINTS:
        if c in ignored or 0xAC00 <= c <= 0xD7A3 or not ucd.decomposition(chr(c)):
            continue
        full = ucd.normalize(form, chr(c))
        if full != chr(c):
            found[c] = full
    return found


def compositions(ucd, ignored: set[int]) -> dict[tuple[int, int], int]:
    """Primary composites: (first, second) → composed."""
    found = {}
    for c in CODE_POINTS:
        parts = ucd.decomposition(chr(c))
        if c in ignored or not parts or parts[0] == "<" or " " not in parts:
            continue
        first, second = (int(part, 16) for part in parts.split())
        if ucd.normalize("NFC", chr(first) + chr(second)) == chr(c):
            found[first, second] = c
    return found


def form_flags(canonical: dict[int, str], compatible: dict[int, str], pairs: dict[tuple[int, int], int]) -> list[int]:
    """Quick-check flags: what may change under each form."""
    flags = [0] * 0x110000
    kept = set(pairs.values())
    for c in canonical:
        flags[c] |= NFD_NO | (0 if c in kept else NFC_MAYBE | NFKC_MAYBE)
    for c, full in compatible.items():
        flags[c] |= NFKD_NO
        if canonical.get(c) != full:
            flags[c] |= NFKC_MAYBE
    for _, second in pairs:
        flags[second] |= NFC_MAYBE | NFKC_MAYBE
    for c in (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3)):  # vowels and final consonants of Hangul compose
        flags[c] |= NFC_MAYBE | NFKC_MAYBE
    for c in range(0xAC00, 0xD7A4):
        flags[c] |= NFD_NO | NFKD_NO
    return flags


def two_stage(values: list[int]) -> tuple[list[int], list[int]]:
    """Split into an index of pages and the distinct pages, the all-zero page first."""
    pages: dict[tuple[int, ...], int] = {(0,) * PAGE: 0}
    index = []
    for start in range(0, len(values), PAGE):
        index.append(pages.setdefault(tuple(values[start : start + PAGE]), len(pages)))
    return index, [value for page in pages for value in page]


def array(ctype: str, name: str, values: Iterable[int]) -> str:
    values = list(values)
    lines, line = [], "   "
    for value in values:
        word = f" {value},"
        if len(line) + len(word) > 118:
            lines.append(line)
            line = "   "
        line += word
    return f"constexpr {ctype} {name}[{len(values)}] = {{\n" + "\n".join([*lines, line]) + "\n};\n"


def staged(ctype: str, name: str, values: list[int]) -> str:
    index, pages = two_stage(values)
    index_type = "uint8_t" if max(index) < 256 else "uint16_t"
    return array(index_type, f"{name}_index", index) + array(ctype, f"{name}_pages", pages)


def decomposition_arrays(canonical: dict[int, str], compatible: dict[int, str]) -> str:
    """One pool of code points; entry n is pool[start[n]] … pool[start[n + 1]]."""
    entries: dict[str, int] = {"": 0}
    canonical_of, compatible_of = [0] * 0x110000, [0] * 0x110000
    for table, of in ((canonical, canonical_of), (compatible, compatible_of)):
        for c, full in table.items():
            of[c] = entries.setdefault(full, len(entries))
    starts, pool = [0], []
    for full in entries:
        pool += map(ord, full)
        starts.append(len(pool))
    return (
        staged("uint16_t", "canonical", canonical_of)
        + staged("uint16_t", "compatible", compatible_of)
        + array("uint16_t", "decomposition_start", starts)
        + array("uint32_t", "decomposition_pool", pool)
    )


def main(folder16: str, folder17: str) -> None:
    ucd16, ucd17 = load_ucd(folder16), load_ucd(folder17)
    assert (ucd16.unidata_version, ucd17.unidata_version) == ("16.0.0", "17.0.0")
    assert python_ucd.unidata_version < "17"
    ignored = parse_ranges(AFTER_UNICODE_9)
    canonical = decompositions(ucd16, "NFD", ignored)
    compatible = decompositions(ucd16, "NFKD", ignored)
    pairs = compositions(ucd16, ignored)
    classes = [0] * 0x110000
    for c in CODE_POINTS:
        classes[c] = 0 if c in ignored else ucd16.combining(chr(c))
    lower = lower_case(ucd17)
    deltas = sorted({low - c for c, low in lower.items()})
    lower_of = [0] * 0x110000
    for c, low in lower.items():
        lower_of[c] = deltas.index(low - c) + 1
    keys = sorted(pairs)
    parts = [
        "// Made by bin/generate_unicode_tables.py from the Unicode Character Database; not edited by hand.",
        "// Categories, letters, numbers, white space, word characters: 16.0.0. Numeric, lower case: 17.0.0.",
        "// Normal forms: 9.0.0.",
        "#pragma once",
        "#include <cstdint>",
        "",
        "namespace textpipe::unicode {",
        f"constexpr int page_size = {PAGE};",
        'constexpr const char* version = "16.0.0";',
        staged("uint8_t", "property", properties(ucd16, ucd17)),
        staged("uint8_t", "category", categories(ucd16)),
        staged("uint8_t", "combining_class", classes),
        staged("uint8_t", "form", form_flags(canonical, compatible, pairs)),
        staged("uint8_t", "lower", lower_of),
        array("int32_t", "lower_delta", [0, *deltas]),
        decomposition_arrays(canonical, compatible),
        array("uint64_t", "composition_key", [first << 21 | second for first, second in keys]),
        array("uint32_t", "composition_value", [pairs[key] for key in keys]),
        "}  // namespace textpipe::unicode",
        "",
    ]
    HEADER.write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
