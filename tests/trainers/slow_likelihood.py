"""A trainer that merges by likelihood, slow and obvious: the oracle of the native one.

What enters: words with counts, and the settings of a byte-pair trainer. What leaves: vocabulary and merges. Every
symbol and every pair is counted anew before every merge, and scores are fractions.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import pairwise

from slow_bpe import first_vocabulary


def slow_likelihood(counts, trainer):
    prefix = trainer.continuing_subword_prefix or ""
    suffix = trainer.end_of_word_suffix or ""
    vocab = first_vocabulary(counts, trainer)
    spelled = {
        word: [
            (prefix if at else "") + c + (suffix if at == len(word) - 1 else "")
            for at, c in enumerate(word)
            if c in vocab
        ]
        for word in counts
    }
    for text in sorted({text for symbols in spelled.values() for text in symbols}):
        vocab.setdefault(text, len(vocab))
    merges = []
    while len(vocab) < trainer.vocab_size:
        singles, pairs = Counter(), Counter()
        for word, symbols in spelled.items():
            for text in symbols:
                singles[text] += counts[word]
            for pair in pairwise(symbols):
                pairs[pair] += counts[word]
        found = [pair for pair in pairs if pairs[pair] >= trainer.min_frequency]
        if not found:
            break
        score = {(a, b): Fraction(pairs[a, b], singles[a] * singles[b]) for a, b in found}
        left, right = min(found, key=lambda p: (-score[p], -pairs[p], vocab[p[0]], vocab[p[1]]))
        made = left + right.removeprefix(prefix)
        vocab.setdefault(made, len(vocab))
        if (left, right) not in merges:
            merges.append((left, right))
        for symbols in spelled.values():
            at = 0
            while at + 1 < len(symbols):
                if (symbols[at], symbols[at + 1]) == (left, right):
                    symbols[at : at + 2] = [made]
                at += 1
    return vocab, merges
