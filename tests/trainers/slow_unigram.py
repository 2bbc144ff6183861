"""The estimation of a unigram vocabulary, slowly: every substring is looked at, every path is listed.

What enters: sentences with U+2581 for spaces, most of the settings left at their defaults. What leaves: pieces and
scores. It agrees with the fast one where no two ways to cut a piece are equally likely.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict

import numpy as np

F = np.float32
SPACE, UNKNOWN = "\u2581", "\u2585"


def script(character: str) -> str:
    """Enough of the scripts for the tests' alphabets."""
    if "가" <= character <= "힣" or "ㄱ" <= character <= "ㅎ":
        return "Hangul"
    return "Latin" if character.isascii() and character.isalpha() else "Common"


def is_piece(text: str, max_length: int) -> bool:
    """May it be a piece?"""
    if not 1 < len(text) <= max_length or UNKNOWN in text or SPACE in text[1:]:
        return False
    return len({script(c) for c in text if c != SPACE}) == 1


def seeds(sentences: list[str], max_length: int) -> dict[str, int]:
    """Strings that two different bytes follow, with how often they occur; once more where they end sentences."""
    data = "\0".join(sentences) + "\0"
    followers: dict[str, set[int]] = defaultdict(set)
    counts: Counter[str] = Counter()
    for start in range(len(data)):
        for stop in range(start + 1, min(len(data), start + max_length + 1) + 1):
            after = data[stop].encode()[0] if stop < len(data) else -1
            followers[data[start:stop]].add(after)
            counts[data[start:stop]] += 1
    found: Counter[str] = Counter()
    for text, bytes_after in followers.items():
        piece = text.removesuffix("\0")
        if len(bytes_after) > 1 and "\0" not in piece and is_piece(piece, max_length):
            found[piece] += counts[text]
    return found


def log_sum_exp(values: list[np.float32]) -> np.float32:
    """In float32, from left to right."""
    total = values[0]
    for value in values[1:]:
        low, high = min(total, value), max(total, value)
        total = high if high > low + F(50) else F(float(high) + math.log1p(math.exp(float(low - high))))
    return total


def nodes(text: str, scores: dict[str, np.float32], unknown: np.float32) -> list[tuple[int, int, str, np.float32]]:
    """Every (begin, end, piece, score) in the order of their begins, then of their lengths; unknown ones come last."""
    first = next(iter(scores))
    longest = max(map(len, scores))
    rows = []
    for begin in range(len(text)):
        ends = [end for end in range(begin + 1, min(len(text), begin + longest) + 1) if text[begin:end] in scores]
        rows += [(begin, end, text[begin:end], scores[text[begin:end]]) for end in ends]
        if begin + 1 not in ends:
            rows.append((begin, begin + 1, first, unknown))
    return rows


def paths(text: str, scores: dict[str, np.float32], unknown: np.float32) -> list[tuple[np.float32, list[str]]]:
    """Every way to cut a text, the likeliest first."""
    found = [(F(0), 0, [])]
    done = []
    rows = nodes(text, scores, unknown)
    while found:
        score, at, pieces = found.pop()
        if at == len(text):
            done.append((score, pieces))
        found += [(score + own, end, [*pieces, piece]) for begin, end, piece, own in rows if begin == at]
    return sorted(done, key=lambda row: -row[0])


def expected(words: list[tuple[str, int]], scores: dict[str, np.float32], stripes: int) -> dict[str, np.float32]:
    """How often each piece is used, on average over all ways to cut the words."""
    unknown = min(scores.values()) - F(10)
    total = dict.fromkeys(scores, F(0))
    for stripe in range(stripes):
        sums = dict.fromkeys(scores, F(0))
        for text, count in words[stripe::stripes]:
            rows = nodes(text, scores, unknown)
            forward = {0: F(0)}
            for at in range(1, len(text) + 1):
                forward[at] = log_sum_exp([own + forward[begin] for begin, end, _, own in rows if end == at])
            backward = {len(text): F(0)}
            for at in reversed(range(len(text))):
                backward[at] = log_sum_exp([own + backward[end] for begin, end, _, own in rows if begin == at])
            for begin, end, piece, own in rows:
                weight = math.exp(float(forward[begin] + own + backward[end] - forward[len(text)]))
                sums[piece] = F(float(sums[piece]) + float(F(count)) * weight)
        for piece, value in sums.items():
            total[piece] += value
    return total


def digamma(x: float) -> float:
    """By its series."""
    result = 0.0
    while x < 7:
        result -= 1 / x
        x += 1
    x -= 0.5
    y = 1 / (x * x)
    return result + math.log(x) + y / 24 - 7 / 960 * y**2 + 31 / 8064 * y**3 - 127 / 30720 * y**4


def maximize(counts: dict[str, np.float32]) -> dict[str, np.float32]:
    """The scores that fit the counts, with a preference for few pieces."""
    kept = {piece: count for piece, count in counts.items() if count >= F(0.5)}
    whole = F(0)
    for count in kept.values():
        whole += count
    return {piece: F(digamma(float(count)) - float(F(digamma(float(whole))))) for piece, count in kept.items()}


def prune(words: list[tuple[str, int]], scores: dict[str, np.float32], enough: int) -> dict[str, np.float32]:
    """Drop the pieces whose loss matters least."""
    unknown = min(scores.values()) - F(10)
    uses = dict.fromkeys(scores, F(0))
    for text, count in words:
        for piece in paths(text, scores, unknown)[0][1]:
            uses[piece] += F(count)
    whole = F(sum(map(float, uses.values())))
    kept, losses = [], []
    for piece in scores:
        ways = paths(piece, scores, unknown)
        if uses[piece] == 0 or (len(ways) > 1 and len(ways[0][1]) > 1):
            continue
        if len(ways) == 1:
            kept.append(piece)
            continue
        others = ways[1][1]
        own = math.log(uses[piece]) - math.log(whole)
        more = math.log(whole + uses[piece] * (len(others) - 1))
        losses.append(
            (uses[piece] / whole * (own - sum(math.log(uses[o] + uses[piece]) - more for o in others)), piece)
        )
    size = max(enough, int(F(0.75) * F(len(scores))))
    losses.sort(key=lambda row: -row[0])
    kept += [piece for _, piece in losses[: max(0, size - len(kept))]]
    return {piece: scores[piece] for piece in kept}


def train(sentences: list[str], vocab_size: int, *, max_length: int = 16, stripes: int = 16) -> list[tuple[str, float]]:
    """Pieces with scores, best first; three entries are reserved."""
    characters = Counter("".join(sentences))
    words = Counter(SPACE + word for sentence in sentences for word in sentence.split(SPACE)[1:])
    ranked = sorted(words.items(), key=lambda row: (-row[1], row[0]))
    alphabet = sorted(characters.items(), key=lambda row: (-row[1], row[0]))
    found = [(piece, F(count) * F(len(piece))) for piece, count in seeds(sentences, max_length).items()]
    found.sort(key=lambda row: (-row[1], -len(row[0].encode()), row[0]))
    counts = [(piece, F(count)) for piece, count in [*alphabet, *found]]
    log_sum = math.log(sum(float(count) for _, count in counts))
    scores = {piece: F(math.log(float(count)) - log_sum) for piece, count in counts}
    enough = int(vocab_size * 1.1)
    while True:
        for _ in range(2):
            scores = maximize(expected(ranked, scores, stripes))
        scores = prune(ranked, scores, enough)
        if len(scores) <= enough:
            break
    unknown = min(scores.values()) - F(10)
    alone = {piece: [way for way in paths(piece, scores, unknown) if len(way[1]) > 1] for piece in scores}
    scores = {piece: own for piece, own in scores.items() if not alone[piece] or alone[piece][0][0] <= own}
    final = {}
    missing = 0
    for character, _ in alphabet:
        final[character] = scores.get(character, min(scores.values()) + F(missing) * F(0.0001))
        missing += character not in scores
    for piece, own in sorted(scores.items(), key=lambda row: (-row[1], row[0])):
        if len(final) < vocab_size - 3 or piece in final:
            final[piece] = own
    return sorted(((piece, float(own)) for piece, own in final.items()), key=lambda row: (-row[1], row[0]))
