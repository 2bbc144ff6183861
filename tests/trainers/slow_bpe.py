"""A byte-pair trainer that is slow and obvious: the oracle of the native one.

What enters: words with counts, and the trainer's settings. What leaves: vocabulary and merges. It keeps every word as a
list of (id, length) symbols and every queue entry as a plain row, and follows the published rules literally, quirks
included: a changed count sends an entry back, a joined string that exists keeps its id, a merged pair keeps its count,
pairs that gain are queued again for the words of that step alone, and two entries of one pair leave the queue in the
order of a heap with eight children a node.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise


def slow_bpe(counts, trainer, may_be_token=lambda text: True, known=None):
    prefix = trainer.continuing_subword_prefix or ""
    suffix = trainer.end_of_word_suffix or ""
    vocab = first_vocabulary(counts, trainer)
    if known is not None:
        added = [text for text in vocab if text not in known[0]]
        vocab = dict(known[0]) | {text: len(known[0]) + number for number, text in enumerate(added)}
    strings = list(vocab)
    words, weights = [], []
    spelled = []
    for word in sorted(counts):
        symbols = [
            (prefix if at else "") + c + (suffix if at == len(word) - 1 else "")
            for at, c in enumerate(word)
            if c in vocab
        ]
        spelled.append(symbols if known is None else apply_merges(symbols, known[1]))
        weights.append(counts[word])
    for text in sorted({text for symbols in spelled for text in symbols}):
        if text not in vocab:
            vocab[text] = len(strings)
            strings.append(text)
    words = [[(vocab[text], 1) for text in symbols] for symbols in spelled]

    pair_counts, gained = Counter(), {}

    def change(pair, sign, word):
        pair_counts[pair] += sign * weights[word]
        if sign > 0:
            gained.setdefault(pair, set()).add(word)

    for word, symbols in enumerate(words):
        for left, right in pairwise(symbols):
            change((left[0], right[0]), 1, word)
    queue, merges = Heap(), []

    def queue_gained():
        for pair, places in sorted(gained.items()):
            made = strings[pair[0]] + strings[pair[1]].removeprefix(prefix)
            if pair_counts[pair] > 0 and may_be_token(made):
                queue.push([pair_counts[pair], pair, places])
        gained.clear()

    queue_gained()
    limit = trainer.max_token_length
    while len(vocab) < trainer.vocab_size and queue.rows:
        count, pair, places = queue.pop()
        if count != pair_counts[pair]:
            queue.push([pair_counts[pair], pair, places])
            continue
        if count == 0 or unsigned(count) < trainer.min_frequency:
            break
        left, right = pair
        text = strings[left] + (strings[right].removeprefix(prefix) if prefix else strings[right])
        if text not in vocab:
            vocab[text] = len(strings)
            strings.append(text)
        merges.append(pair)
        for word in sorted(places):
            join(words[word], pair, vocab[text], limit, lambda p, sign, word=word: change(p, sign, word))
        queue_gained()
    last = {pair: number for number, pair in enumerate(merges)}
    kept = [pair for number, pair in enumerate(merges) if last[pair] == number]
    return vocab, [(strings[left], strings[right]) for left, right in kept]


def apply_merges(symbols, merges):
    """Join the pair of the lowest rank, the leftmost of equals, until there is none."""
    ranks = {pair: rank for rank, pair in enumerate(merges)}
    while True:
        found = [(ranks[pair], at) for at, pair in enumerate(pairwise(symbols)) if pair in ranks]
        if not found:
            return symbols
        at = min(found)[1]
        symbols = [*symbols[:at], symbols[at] + symbols[at + 1], *symbols[at + 2 :]]


class Heap:
    """Rows of (count, pair, words): the highest count first, then the lowest pair."""

    children = 8

    def __init__(self):
        self.rows = []

    def key(self, index):
        count, (left, right), _ = self.rows[index]
        return unsigned(count), -left, -right

    def push(self, row):
        self.rows.append(row)
        self.rise(len(self.rows) - 1)

    def pop(self):
        rows = self.rows
        rows[0], rows[-1] = rows[-1], rows[0]
        top = rows.pop()
        at = 0
        while children := range(self.children * at + 1, min(self.children * at + 1 + self.children, len(rows))):
            greatest = max(children, key=lambda child: (self.key(child), child))
            rows[at], rows[greatest] = rows[greatest], rows[at]
            at = greatest
        if rows:
            self.rise(at)
        return top

    def rise(self, at):
        while at and self.key(at) > self.key(parent := (at - 1) // self.children):
            self.rows[at], self.rows[parent] = self.rows[parent], self.rows[at]
            at = parent


def unsigned(count):
    """How a count below zero is compared: as the machine word it is."""
    return count % (1 << 64)


def join(symbols, pair, new, limit, change):
    at = 0
    while at + 1 < len(symbols):
        if (symbols[at][0], symbols[at + 1][0]) == pair:
            length = symbols[at][1] + symbols[at + 1][1]
            if at > 0:
                before = symbols[at - 1]
                change((before[0], pair[0]), -1)
                if limit is None or before[1] + length < limit:
                    change((before[0], new), 1)
            symbols[at : at + 2] = [(new, length)]
            if at + 1 < len(symbols):
                after = symbols[at + 1]
                change((pair[1], after[0]), -1)
                if limit is None or after[1] + length < limit:
                    change((new, after[0]), 1)
        at += 1


def first_vocabulary(counts, trainer):
    vocab = {}
    for token in map(str, trainer.special_tokens):
        vocab.setdefault(token, len(vocab))
    seen = Counter()
    for word, count in counts.items():
        for c in word:
            seen[c] += count
    for c in trainer.initial_alphabet:
        seen[c] = 1 << 80
    kept = sorted(seen, key=lambda c: (-seen[c], c))
    if trainer.limit_alphabet is not None:
        kept = kept[: trainer.limit_alphabet]
    for c in sorted(kept):
        vocab.setdefault(c, len(vocab))
    return vocab
