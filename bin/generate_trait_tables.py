"""Write textpipe/core/cpp/trait_tables.hpp: the classes of characters the BERT-like and script-wise parts go by.

What enters: `tokenizers` 0.23.3 itself, asked about every code point. What leaves: the header. Run by hand when a
version changes:

    python bin/generate_trait_tables.py

Why it is asked and no Unicode Character Database is read: the classes come from libraries that each stop at a Unicode
version of their own, some with slips, and the point is to cut text as `tokenizers` does.
"""

from collections.abc import Callable
from pathlib import Path

import tokenizers
from generate_unicode_tables import CODE_POINTS, staged
from tokenizers import normalizers, pre_tokenizers

HEADER = Path(__file__).resolve().parent.parent / "textpipe" / "core" / "cpp" / "trait_tables.hpp"

PUNCTUATION, CONTROL, CHINESE, NONSPACING_MARK, COMBINING_MARK = 1, 2, 4, 8, 16  # as in traits.hpp


def removed_by(normalizer: normalizers.Normalizer) -> list[int]:
    return [c for c in CODE_POINTS if not normalizer.normalize_str(chr(c))]


def bert(**steps: bool) -> normalizers.Normalizer:
    off = {"clean_text": False, "handle_chinese_chars": False, "strip_accents": False, "lowercase": False}
    return normalizers.BertNormalizer(**{**off, **steps})


def scripts() -> list[int]:
    """The number of the group of scripts that stay together, from 1; 0 for a character that goes with any."""
    cut: Callable[[str], list[object]] = pre_tokenizers.UnicodeScripts().pre_tokenize_str
    found = [0] * 0x110000
    groups: list[tuple[str, int]] = []
    for c in CODE_POINTS:
        if not cut(chr(c)):
            continue
        at = next((n for n, (first, _) in enumerate(groups) if len(cut(first + chr(c))) == 1), None)
        # The next character is mostly of the same one.
        groups.insert(0, (chr(c), len(groups) + 1) if at is None else groups.pop(at))
        found[c] = groups[0][1]
    return found


def traits() -> list[int]:
    """One byte of flags a code point."""
    chinese = bert(handle_chinese_chars=True)
    punctuation = pre_tokenizers.Punctuation()
    found = [0] * 0x110000
    for flag, members in (
        (PUNCTUATION, [c for c in CODE_POINTS if len(punctuation.pre_tokenize_str(f"a{chr(c)}a")) == 3]),
        (CONTROL, removed_by(bert(clean_text=True))),
        (CHINESE, [c for c in CODE_POINTS if len(chinese.normalize_str(chr(c))) == 3]),
        (NONSPACING_MARK, removed_by(bert(strip_accents=True))),
        (COMBINING_MARK, removed_by(normalizers.StripAccents())),
    ):
        for c in members:
            found[c] |= flag
    return found


def main() -> None:
    parts = [
        f"// Made by bin/generate_trait_tables.py from `tokenizers` {tokenizers.__version__}; not edited by hand.",
        "#pragma once",
        "#include <cstdint>",
        "",
        "namespace textpipe::unicode {",
        staged("uint8_t", "trait", traits()),
        staged("uint8_t", "script", scripts()),
        "}  // namespace textpipe::unicode",
        "",
    ]
    HEADER.write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
