"""BPE by ranks gives the tokens of tiktoken, whatever the ranks."""

from __future__ import annotations

import copy
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textpipe.core.byte_alphabet import to_characters
from textpipe.errors import InputError, LimitError
from textpipe.models import RankBPE

BYTES = {bytes([byte]): byte for byte in range(256)}
letters = st.sampled_from([b"a", b"b", b"\xea", b" "])


def words(most):
    return st.lists(letters, min_size=1, max_size=most).map(b"".join)


@st.composite
def rank_tables(draw):
    """All bytes and some strings of few letters, in any order: learned vocabularies are never this tangled."""
    pieces = draw(st.lists(words(6), max_size=40))
    order = list(dict.fromkeys([*BYTES, *pieces]))
    ids = draw(st.permutations(range(256, 256 + len(order) - 256)))
    return BYTES | dict(zip(order[256:], ids, strict=True))


def spell_slowly(ranks, word):
    """The oracle: join the pair of the lowest rank, the leftmost of equals, until none is a piece."""
    if word in ranks:
        return [ranks[word]]
    parts = [bytes([byte]) for byte in word]
    while True:
        joined = [(ranks[a + b], at) for at, (a, b) in enumerate(itertools.pairwise(parts)) if a + b in ranks]
        if not joined:
            return [ranks[part] for part in parts]
        _, at = min(joined)
        parts[at : at + 2] = [parts[at] + parts[at + 1]]


@given(rank_tables(), st.lists(words(90), max_size=4))
def test_tokens_are_those_of_tiktoken_and_of_the_definition(ranks, samples):
    tiktoken = pytest.importorskip("tiktoken")
    theirs = tiktoken.Encoding("x", pat_str=r"[\s\S]+", mergeable_ranks=ranks, special_tokens={})
    ours = RankBPE(ranks)
    for word in samples:
        expected = theirs._encode_single_piece(word)
        assert [token.id for token in ours.tokenize(to_characters(word))] == expected
        assert spell_slowly(ranks, word) == expected


def test_a_list_of_merges_can_differ_where_a_piece_has_two_makings():
    ranks = BYTES | {b"aa": 256, b"aaa": 257}
    model = RankBPE(ranks)
    assert model.splits() == [("a", "a"), ("a", "aa"), ("aa", "a")]
    assert [token.value for token in model.tokenize("aaaaa")] == ["aa", "aaa"]


def test_tokens_have_their_places_in_the_printable_word():
    tokens = RankBPE(BYTES | {"한".encode()[:2]: 257, "한".encode(): 256}).tokenize(to_characters("한 한".encode()))
    assert [token.offsets for token in tokens] == [(0, 6), (6, 8), (8, 14)]
    assert [token.id for token in tokens] == [256, 32, 256]


def test_a_very_long_word_is_spelled():
    model = RankBPE(BYTES | {b"ab": 256, b"abab": 257})
    assert {token.id for token in model.tokenize("ab" * 200_000)} == {257}


@pytest.mark.parametrize(
    ("ranks", "special", "error", "message"),
    [
        ({b"a": 0}, {}, InputError, "the byte 0x00 has no rank"),
        (BYTES | {b"ab": 5}, {}, InputError, "have the same id"),
        (BYTES | {b"ab": 256}, {"<e>": 256}, InputError, "have the same id"),
        (BYTES | {b"ab": 256}, {"ab": 257}, InputError, "has a rank too"),
        (BYTES | {b"ab": -1}, {}, InputError, "ids run from -1"),
        (BYTES | {b"ab": 1 << 40}, {}, InputError, "ids run from 0 to"),
        (BYTES | {b"a" * size: 254 + size for size in range(2, 1500)}, {}, LimitError, "squares of sizes"),
    ],
)
def test_ranks_that_cannot_be_are_refused(ranks, special, error, message):
    with pytest.raises(error, match=message):
        RankBPE(ranks, special)


def test_a_character_that_stands_for_no_byte_is_refused():
    with pytest.raises(InputError, match='"한" stands for no byte'):
        RankBPE(BYTES).tokenize("한")


def test_it_is_a_value():
    model = RankBPE(BYTES | {b"ab": 256}, {"<e>": 300})
    assert copy.deepcopy(model) == model != RankBPE(BYTES)
    assert model.ranks[b"ab"] == 256
    assert model.special_tokens == {"<e>": 300}
    assert model.token_to_id("<e>") == model.max_id == 300
    assert repr(model) == "RankBPE(257 ranks, 1 special tokens)"
