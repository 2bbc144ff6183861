"""bin/bench NAME …: runs one benchmark of this folder.

Each benchmark is a file with ``main(arguments)``. All of them check that what they time gives the same result, run
every contender in a process of its own, in turn, and print medians; peak memory is that of the process.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

NAMES = {
    "encode": "encode",
    "encode-lists": "encode_lists",
    "sentencepiece": "sentencepiece_models",
    "load": "load",
    "train-vocab": "train_vocab",
    "train-growth": "train_growth",
    "train-pieces": "train_pieces",
    "train-unigram": "train_unigram",
    "train-step": "train_step",
    "translate": "translate",
    "word-piece": "word_piece",
    "parity": "parity",
    "plan-memory": "plan_memory",
}


def main() -> int:
    sys.path.insert(0, str(Path(__file__).parent))
    name = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if name not in NAMES:
        sys.stderr.write(f"usage: bin/bench {'|'.join(NAMES)} …\n")
        return 0 if name == "--help" else 2
    return int(importlib.import_module(NAMES[name]).main(sys.argv[2:]) or 0)


if __name__ == "__main__":
    sys.exit(main())
