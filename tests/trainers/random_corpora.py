"""Small random corpora and settings on which byte-pair trainers are compared.

They have tiny alphabets, runs, ties, strings that are made twice, special tokens that merges land on, prefixes,
suffixes and lengths. Ids that depend on a hash order in `tokenizers` are pinned: every symbol with a prefix or suffix
is given as a special token, and ``limit_alphabet`` never cuts between equal counts.
"""

from __future__ import annotations

import random
from collections import Counter

ALPHABETS = ("ab", "abc", "abcd", "가나", "ㅋㅎㅠ", "ab#", "xyzw가", "ae\u0301", "한\u1112\u1161\u11ab")


def random_case(seed):
    """Words (with repeats) and keyword arguments of a trainer."""
    rng = random.Random(seed)
    alphabet = rng.choice(ALPHABETS)
    num_words, longest = rng.choice([1, 3, 10, 40, 100]), rng.choice([2, 4, 8, 20])
    words = []
    for _ in range(num_words):
        word = "".join(rng.choice(alphabet) for _ in range(rng.randint(1, longest)))
        words += [word] * rng.choice([1, 1, 1, 2, 3, 7, 50])
    if rng.random() < 0.3:
        words += [alphabet[0] * length for length in range(1, rng.randint(2, 12))]
    settings = {"vocab_size": rng.choice([0, 3, 8, 12, 20, 40, 100, 1000])}
    if rng.random() < 0.3:
        settings["min_frequency"] = rng.choice([1, 2, 3, 10])
    if rng.random() < 0.3:
        settings["special_tokens"] = [
            "".join(rng.choice(alphabet) for _ in range(rng.randint(1, 3))) for _ in range(rng.randint(1, 3))
        ]
    if rng.random() < 0.3:
        settings["max_token_length"] = rng.choice([1, 2, 3, 4, 6])
    if rng.random() < 0.2:
        settings["initial_alphabet"] = [rng.choice("abq나ㅎ") for _ in range(2)]
    choice = rng.random()
    if choice < 0.35:
        _decorate(rng, words, settings)
    elif choice < 0.5:
        _limit(rng, words, settings)
    return words, settings


def _decorate(rng, words, settings):
    if rng.random() < 0.6:
        settings["continuing_subword_prefix"] = rng.choice(["##", "#", "a", "@@"])
    if "continuing_subword_prefix" not in settings or rng.random() < 0.4:
        settings["end_of_word_suffix"] = rng.choice(["</w>", "b", "#"])
    prefix, suffix = settings.get("continuing_subword_prefix", ""), settings.get("end_of_word_suffix", "")
    symbols = {
        (prefix if place & 1 else "") + character + (suffix if place & 2 else "")
        for character in set("".join(words))
        for place in range(4)
    }
    settings["special_tokens"] = settings.get("special_tokens", []) + sorted(symbols)


def _limit(rng, words, settings):
    counts = Counter("".join(words))
    for character in settings.get("initial_alphabet", []):
        counts[character] = 1 << 60
    values = sorted(counts.values())
    limit = rng.randint(0, len(values))
    dropped = len(values) - limit
    if dropped in (0, len(values)) or values[dropped - 1] != values[dropped]:
        settings["limit_alphabet"] = limit
