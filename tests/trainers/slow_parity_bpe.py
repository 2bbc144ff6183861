"""A byte-pair trainer of several languages that is slow and obvious: the oracle of the native one.

What enters: words with counts of each language, those to measure by, and the trainer's settings. What leaves:
vocabulary, merges, and whether `tokenizers` would have come to an end. Every language keeps its words as lists of
(id, length) symbols, what each pair counts and the words it came to stand in; the best pair is looked for among all.
"""

from __future__ import annotations

import itertools
from collections import Counter, deque

from slow_bpe import first_vocabulary, join


class Language:
    def __init__(self, counts, vocab, prefix, suffix, whole=False):
        self.words, self.weights = [], []
        for word, count in sorted(counts.items()):
            symbols = [
                (prefix if at else "") + c + (suffix if at == len(word) - 1 else "") if c in vocab else None
                for at, c in enumerate(word)
            ]
            if whole and not all(text in vocab for text in symbols):
                continue
            self.words.append([(text, 1) for text in symbols if text is not None])
            self.weights.append(count)
        self.counts, self.stands = Counter(), {}

    def count(self, vocab):
        self.words = [[(vocab[text], length) for text, length in symbols] for symbols in self.words]
        for number, symbols in enumerate(self.words):
            for left, right in itertools.pairwise(symbols):
                self.change((left[0], right[0]), 1, number)
        self.first_length = self.length()

    def length(self):
        return sum(len(word) * count for word, count in zip(self.words, self.weights, strict=True))

    def change(self, pair, sign, number):
        self.counts[pair] += sign * self.weights[number]
        if sign > 0:
            self.stands.setdefault(pair, set()).add(number)

    def join(self, pair, new, limit):
        numbers = self.stands.pop(pair, None)
        for number in numbers or ():
            join(self.words[number], pair, new, limit, lambda p, sign, n=number: self.change(p, sign, n))
        if numbers:
            self.counts[pair] = 0


def slow_parity_bpe(trains, devs, trainer, ratio):
    prefix, suffix = trainer.continuing_subword_prefix or "", trainer.end_of_word_suffix or ""
    vocab = first_vocabulary(sum((Counter(t) for t in (*trains, *(devs or ()))), Counter()), trainer)
    languages = [Language(counts, vocab, prefix, suffix) for counts in trains]
    for text in sorted({text for each in languages for word in each.words for text, _ in word}):
        vocab.setdefault(text, len(vocab))
    strings = list(vocab)
    measured = [Language(counts, vocab, prefix, suffix, whole=True) for counts in devs or ()]
    for each in (*languages, *measured):
        each.count(vocab)
    num_merges = trainer.num_merges - (len(vocab) if trainer.total_symbols else 0)
    turns = Turns(trainer, len(languages))
    merges = []
    while len(merges) < num_merges and len(turns.exhausted) < len(languages):
        together = len(merges) < trainer.global_merges
        if together:
            pairs = {pair for each in languages for pair in each.counts}
            counts = {pair: sum(each.counts[pair] for each in languages) for pair in pairs}
        else:
            turn = turns.next(needs(languages, measured, ratio))
            if turn is None:
                return vocab, None, False
            counts = languages[turn].counts
        found = [(count, strings[a], strings[b], (a, b)) for (a, b), count in counts.items() if count > 0]
        if not found or max(found)[0] < trainer.min_frequency:
            if together:
                break
            if turn in turns.exhausted and not found and len({*turns.exhausted}) < len(languages):
                turns.idle += 1
                if turns.idle > 5000:
                    return vocab, None, False
            turns.exhausted.add(turn)
            continue
        pair = max(found)[3]
        text = strings[pair[0]] + strings[pair[1]].removeprefix(prefix)
        if text not in vocab:
            vocab[text] = len(strings)
            strings.append(text)
        merges.append(pair)
        for each in languages:
            each.join(pair, vocab[text], trainer.max_token_length)
        for each in measured:
            each.join(pair, vocab[text], None)
    last = {pair: number for number, pair in enumerate(merges)}
    kept = [pair for number, pair in enumerate(merges) if last[pair] == number]
    return vocab, [(strings[a], strings[b]) for a, b in kept], True


def needs(languages, measured, ratio):
    if ratio is None:
        return [each.length() for each in measured or languages]
    rates = [(each.first_length / each.length() if each.first_length else None) for each in languages]
    return [None if rate is None else -(rate / of) for rate, of in zip(rates, ratio, strict=True)]


class Turns:
    def __init__(self, trainer, num_languages):
        self.trainer, self.num_languages = trainer, num_languages
        self.exhausted, self.window, self.idle = set(), deque(), 0

    def neediest(self, need, among):
        among = [i for i in among if i not in self.exhausted and need[i] is not None]
        return max(among, key=lambda i: (need[i], -i), default=0)

    def next(self, need):
        """None where the search would not end."""
        everyone = range(self.num_languages)
        if self.trainer.variant == "base":
            chosen = self.neediest(need, everyone)
            if chosen in self.exhausted:
                return None
            return chosen
        among = set(everyone)
        while True:
            chosen = self.neediest(need, among)
            share = self.window.count(chosen) / self.trainer.window_size
            if share <= self.trainer.alpha / self.num_languages:
                break
            if chosen not in among:
                return None
            among.discard(chosen)
            if not among:
                break
        self.window.append(chosen)
        if len(self.window) > self.trainer.window_size:
            self.window.popleft()
        return chosen
