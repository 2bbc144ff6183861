"""Sentencepiece's byte-pair trainer, slow and obvious: the oracle of the native one.

What enters: words of escaped sentences with counts, the alphabet and how many merges there is room for. What leaves:
the pieces that merges make. A pair that once stood keeps its place among the candidates even when it counts nothing.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise


def slow_sentencepiece_bpe(counts, alphabet, room, is_piece):
    words = [([c if c in alphabet else None for c in word], count) for word, count in sorted(counts.items())]
    seen, made, dropped = set(), [], set()
    while len(made) < room:
        found = Counter()
        for symbols, count in words:
            for left, right in pairwise(symbols):
                if left is not None and right is not None and is_piece(left + right):
                    found[left, right] += count
        seen |= found.keys()
        candidates = seen - dropped
        if not candidates:
            break
        best = min(candidates, key=lambda pair: (-found[pair], len("".join(pair)), "".join(pair).encode()))
        dropped.add(best)
        piece = "".join(best)
        if piece in made:
            continue
        made.append(piece)
        for symbols, _ in words:
            at = 0
            while at + 1 < len(symbols):
                if (symbols[at], symbols[at + 1]) == best:
                    symbols[at : at + 2] = [piece]
                at += 1
            # What stands only between two joins of one word was a candidate on the way.
        seen |= between_joins(words, piece, best, is_piece)
    return made


def between_joins(words, piece, pair, is_piece):
    """Pairs that joining from left to right makes and takes back: "abab" holds "ab" + "a" after the first join."""
    if is_piece(piece + pair[0]) and any((piece, piece) in pairwise(symbols) for symbols, _ in words):
        return {(piece, pair[0])}
    return set()
