"""BPE with dropout: every outcome has the chance that drawing for one pair after the other gives it, in any word."""

from __future__ import annotations

import pickle
import random
from collections import Counter, defaultdict
from itertools import pairwise

import pytest

from textpipe.models import BPE, bpe

PIECES = ["가", "나", "다", "가나", "나다", "가나다", "나가", "나가나"]
VOCAB = {piece: number for number, piece in enumerate(PIECES)}
MERGES = [("나", "다"), ("가", "나"), ("가나", "다"), ("나", "가"), ("나", "가나"), ("가", "나다")]


def slow_chances(word: str, dropout: float) -> dict[tuple[str, ...], float]:
    """The chance of every outcome: down the queue, pass over each pair with the chance given, merge the first kept."""
    ranks = {pair: rank for rank, pair in enumerate(MERGES)}
    chances: dict[tuple[str, ...], float] = defaultdict(float)

    def walk(symbols: tuple[tuple[int, str], ...], queue: tuple[tuple[int, int], ...], chance: float) -> None:
        for index, (rank, place) in enumerate(queue):
            rest = queue[:index] + queue[index + 1 :]
            kept = chance * dropout**index * (1 - dropout)
            at = next((i for i, (begin, _) in enumerate(symbols) if begin == place), None)
            pair = None if at is None or at + 1 == len(symbols) else (symbols[at][1], symbols[at + 1][1])
            if at is None or ranks.get(pair) != rank:  # stale
                walk(symbols, rest, kept)
                continue
            merged = (*symbols[:at], (place, "".join(pair)), *symbols[at + 2 :])
            near = [(i, (merged[i][1], merged[i + 1][1])) for i in (at - 1, at) if 0 <= i < len(merged) - 1]
            more = tuple((ranks[two], merged[i][0]) for i, two in near if two in ranks)
            walk(merged, tuple(sorted(rest + more)), kept)
        chances[tuple(piece for _, piece in symbols)] += chance * dropout ** len(queue)

    start = tuple(enumerate(word))
    queue = [(ranks[a, b], i) for i, ((_, a), (_, b)) in enumerate(pairwise(start)) if (a, b) in ranks]
    walk(start, tuple(sorted(queue)), 1.0)
    return chances


@pytest.mark.parametrize("dropout", [0.05, 0.4, 0.9])
@pytest.mark.parametrize("word", ["가나다", "가나가나다", "나가나다가"])
def test_every_outcome_has_its_chance(word, dropout):
    tables = BPE(VOCAB, MERGES, dropout=dropout).native(byte_level=False)
    seeds = random.Random(f"{word} {dropout}")
    runs = 20_000
    seen = Counter(
        tuple(PIECES[number] for number, _ in tables.tokenize(word, seeds.getrandbits(63))) for _ in range(runs)
    )
    chances = slow_chances(word, dropout)
    assert sum(chances.values()) == pytest.approx(1)
    assert set(seen) <= set(chances)
    for outcome, chance in chances.items():
        allowed = 4.5 * (chance * (1 - chance) / runs) ** 0.5 + 2 / runs
        assert abs(seen[outcome] / runs - chance) <= allowed, outcome


@pytest.mark.parametrize("dropout", [0.5, 0.999, 0.99999])
def test_a_long_word_is_done_and_keeps_its_text(dropout):
    # At 0.99999 going down the queue for every merge would be tens of thousands of millions of draws.
    word = "가나다나가" * 40_000
    tokens = BPE(VOCAB, MERGES, dropout=dropout).tokenize(word)
    assert "".join(token.value for token in tokens) == word
    assert len(tokens) <= len(word)  # so near 1 it may be that nothing is merged


def test_the_same_seed_gives_the_same_pieces():
    tables = BPE(VOCAB, MERGES, dropout=0.5).native(byte_level=False)
    outcomes = [tables.tokenize("가나다나가" * 100, seed) for seed in (7, 7, 1 << 40)]
    assert outcomes[0] == outcomes[1] != outcomes[2]


def test_another_dropout_or_seed_needs_no_other_tables_and_another_setting_does(monkeypatch):
    made = []

    class Counted(bpe.NativeBpe):
        def __init__(self, *args, **settings):
            made.append(settings)
            super().__init__(*args, **settings)

    monkeypatch.setattr(bpe, "NativeBpe", Counted)
    model = BPE(VOCAB, MERGES)
    plain = model.tokenize("가나다")
    for dropout in (1.0, 0.5, None):
        model.dropout = dropout
        model.tokenize("가나다")
    model.seed = 7
    assert model.tokenize("가나다") == plain
    assert len(made) == 1
    model.unk_token = "가"
    model.tokenize("가나다")
    assert len(made) == 2


def test_a_copy_made_by_pickle_has_every_setting():
    model = BPE(VOCAB | {"?": 8}, [], None, 0.25, "?", "##", "</w>", True, True, True, seed=7)
    other = pickle.loads(pickle.dumps(model))  # noqa: S301  (our own bytes)
    assert other == model
    assert vars(other).keys() == vars(model).keys()
    settings = {name: value for name, value in vars(model).items() if not name.startswith("_")}
    assert settings == {name: vars(other)[name] for name in settings}
    assert (other.dropout, other.unk_token, other.fuse_unk, other.seed) == (0.25, "?", True, 7)
