"""Trainers beside the packages whose results they promise, on as many random corpora as one likes.

    python tests/parity/train_random_corpora.py --count 20000 --seed 0 --only bpe word-piece

Every corpus is written as lines to a file and counted over 1, 2, 4 or 8 threads in chunks of a few bytes up to all of
it, then learned; the peer is given the same lines. The seeds that differ are printed, and the exit code is 1 when any
does.

Where `tokenizers` itself differs from run to run (two entries of one pair may leave its queue in the order of a hash),
one of sixty of its runs has to agree.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
RUNS_OF_THE_PEER = 60
THREADS = (1, 2, 4, 8)
CHUNK_BYTES = (7, 64, 1000, 1 << 20)


def as_lines(words, rng):
    """The words on lines of any length, in their order."""
    lines, at = [], 0
    while at < len(words):
        size = rng.choice((1, 2, 5, 40))
        lines.append(" ".join(words[at : at + size]))
        at += size
    return lines


def counted(words, seed, scratch):
    """The words as they come out of a file, over threads and in chunks that the seed chooses."""
    from textpipe.core._native import grammar_step
    from textpipe.trainers import WordCutter, count_files, counting

    rng = random.Random(~seed)
    scratch.write_text("".join(line + "\n" for line in as_lines(words, rng)), encoding="utf-8")
    counting._CHUNK_BYTES = rng.choice(CHUNK_BYTES)
    whitespace_split = 2
    return count_files(scratch, WordCutter(cutting=(grammar_step(whitespace_split),)), threads=rng.choice(THREADS))


def bpe(seed, scratch):
    from test_bpe import random_case as case
    from test_bpe import theirs

    from textpipe.trainers import BpeTrainer, train_bpe

    words, arguments = case(seed)
    mine = train_bpe(counted(words, seed, scratch), BpeTrainer(show_progress=False, **arguments))
    return any((mine.vocab, mine.merges) == theirs(words, arguments) for _ in range(RUNS_OF_THE_PEER))


def word_piece(seed, scratch):
    from test_word_piece import theirs, word_piece_case

    from textpipe.trainers import WordPieceTrainer, train_word_piece

    words, arguments = word_piece_case(seed)
    mine = train_word_piece(counted(words, seed, scratch), WordPieceTrainer(show_progress=False, **arguments))
    return any(mine == theirs(words, arguments) for _ in range(RUNS_OF_THE_PEER))


def word_level(seed, scratch):
    from random_corpora import random_case
    from test_word_level import theirs

    from textpipe.trainers import WordLevelTrainer, train_word_level

    words, arguments = random_case(seed)
    rng = random.Random(seed)
    special = rng.sample(["<unk>", "<s>", "a", "가", "b"], rng.randint(0, 4))
    kept = {name: arguments[name] for name in ("vocab_size", "min_frequency") if name in arguments}
    mine = train_word_level(counted(words, seed, scratch), WordLevelTrainer(special_tokens=special, **kept))
    return mine == theirs([" ".join(words)], {"special_tokens": special, **kept})


def sentencepiece_bpe(seed, _scratch):
    from test_sentencepiece_bpe import case, learned_from, theirs

    from textpipe.errors import InputError

    lines, arguments = case(seed)
    try:
        expected = theirs(lines, **arguments)
    except RuntimeError:
        expected = None
    try:
        return learned_from(lines, **arguments) == expected
    except InputError:
        return expected is None


def unigram(seed, _scratch):
    from tests.trainers.sentencepiece_oracle import learn, random_lines
    from tests.trainers.test_unigram import ours
    from textpipe.errors import InputError

    lines = random_lines(seed)
    rng = random.Random(seed)
    size = 3 + len(set("".join(lines))) + 1 + rng.randint(0, 40)
    coverage = rng.choice((1.0, 0.9995, 0.98))
    try:
        expected = learn(lines, size, character_coverage=coverage)
    except RuntimeError:
        expected = None
    try:
        return ours(lines, size, threads=rng.choice(THREADS), character_coverage=coverage) == expected
    except InputError:
        return expected is None


TRAINERS = {
    "bpe": bpe,
    "word-piece": word_piece,
    "word-level": word_level,
    "sentencepiece-bpe": sentencepiece_bpe,
    "unigram": unigram,
}


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0, help="the first")
    parser.add_argument("--only", nargs="*", choices=TRAINERS, default=list(TRAINERS))
    options = parser.parse_args(arguments)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "trainers")]
    num_different = 0
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as folder:
        for name in options.only:
            start = time.monotonic()
            seeds = range(options.seed, options.seed + options.count)
            different = [seed for seed in seeds if not TRAINERS[name](seed, Path(folder, "text.txt"))]
            num_different += len(different)
            seconds = time.monotonic() - start
            print(f"{name:18} {options.count:>8,} corpora {seconds:6.0f} s  {different[:20] or 'the same'}", flush=True)
    return 1 if num_different else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
