"""The textbook's byte-pair trainer, slow and obvious: the oracle of the native one.

What enters: words with counts, the trainer's settings and, for the rules of tokens, a function that says whether a
string may be one. What leaves: vocabulary and merges. Every pair of every word is counted anew before every merge.
"""

from __future__ import annotations

from collections import Counter
from itertools import groupby, pairwise

from slow_bpe import first_vocabulary


def slow_plain_bpe(counts, trainer, may_be_token=lambda text: True):
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
    words = [([(text, 1) for text in symbols], counts[word]) for word, symbols in spelled.items()]
    merges = []
    while len(vocab) < trainer.vocab_size:
        found = Counter()
        for symbols, count in words:
            for pair, times in places(symbols, trainer.max_token_length).items():
                if may_be_token(pair[0] + pair[1].removeprefix(prefix)):
                    found[pair] += times * count
        if not found:
            break
        best = min(found, key=lambda pair: (-found[pair], vocab[pair[0]], vocab[pair[1]]))
        if found[best] < max(1, trainer.min_frequency):
            break
        made = best[0] + best[1].removeprefix(prefix)
        vocab.setdefault(made, len(vocab))
        if best not in merges:
            merges.append(best)
        for symbols, _ in words:
            join(symbols, best, made)
    return vocab, merges


def places(symbols, limit):
    """How often joining each pair of a word from left to right would join it."""
    found = Counter()
    for left, right in pairwise(symbols):
        length = left[1] + right[1]
        if left[0] != right[0] and (limit is None or length == 2 or length < limit):
            found[left[0], right[0]] += 1
    for text, run in groupby(symbols, key=lambda symbol: symbol[0]):
        lengths = [length for _, length in run]
        if len(lengths) > 1 and (limit is None or lengths[0] == 1 or 2 * lengths[0] < limit):
            found[text, text] += len(lengths) // 2
    return found


def join(symbols, pair, made):
    at = 0
    while at + 1 < len(symbols):
        if (symbols[at][0], symbols[at + 1][0]) == pair:
            symbols[at : at + 2] = [(made, symbols[at][1] + symbols[at + 1][1])]
        at += 1
