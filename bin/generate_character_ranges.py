"""Write textpipe/core/character_ranges.py: the classes of characters the BERT-like and script-wise parts go by.

What enters: `tokenizers` 0.23.3 itself, asked about every code point. What leaves: the ranges, in hexadecimal. Run by
hand when a version changes:

    python bin/generate_character_ranges.py

Why it is asked and no Unicode Character Database is read: the classes come from libraries that each stop at a Unicode
version of their own, some with slips, and the point is to cut text as `tokenizers` does.
"""

import textwrap
from collections.abc import Callable, Iterable
from pathlib import Path

import tokenizers
from tokenizers import normalizers, pre_tokenizers

MODULE = Path(__file__).resolve().parent.parent / "textpipe" / "core" / "character_ranges.py"
CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]


def ranges(code_points: Iterable[int]) -> str:
    found: list[list[int]] = []
    for c in sorted(code_points):
        if found and found[-1][1] == c - 1:
            found[-1][1] = c
        else:
            found.append([c, c])
    return " ".join(f"{first:X}" if first == last else f"{first:X}-{last:X}" for first, last in found)


def removed_by(normalizer: normalizers.Normalizer) -> str:
    return ranges(c for c in CODE_POINTS if not normalizer.normalize_str(chr(c)))


def bert(**steps: bool) -> normalizers.Normalizer:
    off = {"clean_text": False, "handle_chinese_chars": False, "strip_accents": False, "lowercase": False}
    return normalizers.BertNormalizer(**{**off, **steps})


def scripts() -> list[str]:
    """Characters that stay together, group by group; those without a script are in none."""
    cut: Callable[[str], list[object]] = pre_tokenizers.UnicodeScripts().pre_tokenize_str
    groups: list[tuple[str, list[int]]] = []
    for c in CODE_POINTS:
        if not cut(chr(c)):
            continue
        number = next((n for n, (first, _) in enumerate(groups) if len(cut(first + chr(c))) == 1), None)
        if number is None:
            groups.insert(0, (chr(c), [c]))
        else:
            groups.insert(0, groups.pop(number))  # the next character is mostly of the same one
            groups[0][1].append(c)
    return [ranges(members) for _, members in sorted(groups)]


def main() -> None:
    chinese = bert(handle_chinese_chars=True)
    punctuation = pre_tokenizers.Punctuation()
    sets = {
        "COMBINING_MARKS": (removed_by(normalizers.StripAccents()), "what StripAccents takes away"),
        "NONSPACING_MARKS": (removed_by(bert(strip_accents=True)), "what BertNormalizer takes for accents"),
        "CONTROL": (removed_by(bert(clean_text=True)), "what BertNormalizer takes for dirt"),
        "CHINESE": (
            ranges(c for c in CODE_POINTS if len(chinese.normalize_str(chr(c))) == 3),
            "what BertNormalizer puts spaces around",
        ),
        "PUNCTUATION": (
            ranges(c for c in CODE_POINTS if len(punctuation.pre_tokenize_str(f"a{chr(c)}a")) == 3),
            "what Punctuation and BertPreTokenizer cut out",
        ),
    }
    lines = [
        '"""Classes of characters, as ranges of code points in hexadecimal.',
        "",
        f"Written by bin/generate_character_ranges.py from `tokenizers` {tokenizers.__version__}; not by hand.",
        '"""',
        "",
        "from __future__ import annotations",
        "",
        f"__all__ = {[*sorted(sets), 'SCRIPTS']!r}".replace("'", '"'),
    ]
    for name, (found, meaning) in sets.items():
        lines += ["", f'{name} = """', *textwrap.wrap(found, 116), '"""', f'"""{meaning.capitalize()}."""']
    lines += ["", 'SCRIPTS = """', *[line for group in scripts() for line in textwrap.wrap("/ " + group, 116)], '"""']
    lines += ['"""A group of scripts that stay together after each slash."""']
    MODULE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
