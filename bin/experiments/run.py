"""bin/experiment NAME …: runs one experiment of this folder.

Each is a file with ``main(arguments)`` that prepares its data, trains, and prints its scores as lines of JSON. The same
command with the same seed gives the same figures on the same machine.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

NAMES = (
    "shakespeare",
    "reverse",
    "transliteration",
    "korean-english",
    "vocabularies",
    "masked",
    "fine-tuning",
    "answers",
    "unsupervised",
)


def main() -> int:
    here = Path(__file__).resolve().parent
    sys.path[:0] = [str(folder) for folder in (here, here.parent / "benchmarks", here.parents[1])]
    name = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if name not in NAMES:
        sys.stderr.write(f"usage: bin/experiment {'|'.join(NAMES)} …\n")
        return 0 if name == "--help" else 2
    return int(importlib.import_module(name.replace("-", "_")).main(sys.argv[2:]) or 0)


if __name__ == "__main__":
    sys.exit(main())
