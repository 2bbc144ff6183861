"""Write textpipe/core/cpp/grapheme_table.hpp: which characters stay together as one user-perceived character.

What enters: the properties of UAX #29 as the package `regex` has them, and `tokenizers` 0.23.3, which is asked which
characters it joins to the one before: where `regex` knows a newer Unicode, those it has there and `tokenizers` has not
are left out. What leaves: ranges of code points with their class. Run by hand when a version changes:

    python bin/generate_grapheme_table.py
"""

import io
import tempfile
from pathlib import Path

import regex
import sentencepiece
from tokenizers import normalizers

from textpipe.formats import sentencepiece_file
from textpipe.limits import DEFAULT_LIMITS

HEADER = Path(__file__).resolve().parent.parent / "textpipe" / "core" / "cpp" / "grapheme_table.hpp"
# In the order of the enumeration in graphemes.hpp, from 1 on. LV and LVT are counted, not listed.
CLASSES = ["CR", "LF", "Control", "Extend", "ZWJ", "Regional_Indicator", "Prepend", "SpacingMark", "L", "V", "T"]
PICTOGRAPH = len(CLASSES) + 1
JOINED = {CLASSES.index(name) + 1 for name in ("Extend", "ZWJ", "SpacingMark")}
CONJUNCT = {"Consonant": 16, "Linker": 32, "Extend": 64}


def joiner() -> normalizers.Normalizer:
    """Makes X of an "a", together with all that is joined to it."""
    written = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder:
        rules = Path(folder) / "rules.tsv"
        rules.write_text("61\t58\n")
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(["a b c"]), model_writer=written, vocab_size=20, hard_vocab_limit=False,
            minloglevel=2, normalization_rule_tsv=str(rules),
        )  # fmt: skip
    file = sentencepiece_file.read(written.getvalue(), path="rules", limits=DEFAULT_LIMITS)
    return normalizers.Precompiled(file.normalizer.charsmap)


def table() -> list[tuple[int, int, int]]:
    value = [0] * 0x110000

    def each(pattern: str) -> list[int]:
        matcher = regex.compile(pattern)
        return [c for c in range(0x110000) if matcher.match(chr(c))]

    for c in each(r"\p{Extended_Pictographic}"):
        value[c] = PICTOGRAPH
    for number, name in enumerate(CLASSES, 1):
        for c in each(rf"\p{{Grapheme_Cluster_Break={name}}}"):
            value[c] = number
    for name, bit in CONJUNCT.items():
        for c in each(rf"\p{{Indic_Conjunct_Break={name}}}"):
            value[c] |= bit
    join = joiner()
    for c, found in enumerate(value):
        if found & 15 in JOINED and join.normalize_str(f"a{chr(c)}") != "X":
            value[c] = 0
    ranges: list[tuple[int, int, int]] = []
    for c, found in enumerate(value):
        if found and ranges and ranges[-1][1:] == (c - 1, found):
            ranges[-1] = (ranges[-1][0], c, found)
        elif found:
            ranges.append((c, c, found))
    return ranges


def main() -> None:
    lines = [
        f"// Written by bin/generate_grapheme_table.py from regex {regex.__version__}; not by hand.",
        "#pragma once",
        "#include <cstdint>",
        "",
        "namespace textpipe::unicode {",
        "",
        "struct GraphemeRange {",
        "    uint32_t first, last;",
        "    uint8_t value;",
        "};",
        "",
        "constexpr GraphemeRange grapheme_ranges[] = {",
    ]
    line = "   "
    for first, last, value in table():
        item = f" {{0x{first:X}, 0x{last:X}, {value}}},"
        if len(line) + len(item) > 120:
            lines.append(line)
            line = "   "
        line += item
    lines += [line, "};", "", "}  // namespace textpipe::unicode"]
    HEADER.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
