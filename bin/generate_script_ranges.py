"""Write textpipe/core/script_ranges.py: the script of each character as sentencepiece has it.

What enters: the folder of sentencepiece's source package, version 0.2.3, whose table is of an older Unicode. What
leaves: the ranges of each script, in hexadecimal. Run by hand when the version changes:

    python bin/generate_script_ranges.py sentencepiece-0.2.3
"""

import re
import sys
import textwrap
from pathlib import Path

MODULE = Path(__file__).resolve().parent.parent / "textpipe" / "core" / "script_ranges.py"
ENTRY = re.compile(r"(?:c = 0x(\w+); c <= 0x(\w+); \+\+c\) \(\*smap\)\[c\]|\(\*smap\)\[0x(\w+)\]) = U_(\w+);")

HEAD = '''"""The script of each character, as ranges of code points in hexadecimal; a character in none is Common.

Written by bin/generate_script_ranges.py from the table of sentencepiece 0.2.3; not by hand.
"""

from __future__ import annotations

__all__ = ["SCRIPTS"]

SCRIPTS = """
'''


def main(folder: Path) -> None:
    scripts: dict[str, list[list[int]]] = {}
    rows = [
        (int(first or single, 16), int(last or single, 16), script)
        for file in sorted(folder.rglob("unicode_script_map.h"))
        for first, last, single, script in ENTRY.findall(file.read_text())
        if script != "Common"
    ]
    for first, last, script in sorted(rows):
        found = scripts.setdefault(script, [])
        if found and found[-1][1] == first - 1:
            found[-1][1] = last
        else:
            found.append([first, last])
    words = []
    for script, ranges in sorted(scripts.items()):
        words.append(script + ":")
        words += [f"{first:X}" if first == last else f"{first:X}-{last:X}" for first, last in ranges]
    MODULE.write_text(HEAD + textwrap.fill(" ".join(words), 120, break_on_hyphens=False) + '\n"""\n')


main(Path(sys.argv[1]))
