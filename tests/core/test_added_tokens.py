"""Added tokens are found as the obvious search finds them and as `tokenizers` does, in linear time."""

from __future__ import annotations

import tokenizers as oracle
from hypothesis import example, given, reject, settings
from hypothesis import strategies as st

from textpipe import AddedToken, Tokenizer
from textpipe.core._text import AddedMatcher
from textpipe.models import BPE

LETTERS = "ab가\u1100 \u00e9"
contents = st.lists(st.text(LETTERS, min_size=1, max_size=9), min_size=1, max_size=8, unique=True)


def slow_places(tokens: list[str], text: str) -> list[tuple[int | None, int, int]]:
    """Try every token at every place, the longest first."""
    longest_first = sorted(enumerate(tokens), key=lambda pair: -len(pair[1]))
    found: list[tuple[int | None, int, int]] = []
    at = done = 0
    while at < len(text):
        number, token = next(((n, t) for n, t in longest_first if text.startswith(t, at)), (None, ""))
        if number is None:
            at += 1
            continue
        if done < at:
            found.append((None, done, at))
        at = done = at + len(token)
        found.append((number, done - len(token), done))
    if done < len(text):
        found.append((None, done, len(text)))
    return found


def matcher(tokens: list[str]) -> AddedMatcher:
    return AddedMatcher([(token, number, False, False, False, False) for number, token in enumerate(tokens)])


@settings(max_examples=1500)
@given(contents, st.text(LETTERS, max_size=60))
@example(["a", "aaaab"], "aaaaaaaab")
@example(["ab", "xabcd", "bc"], "xabcbcxabcxabcd")
@example(["aab", "b", "aba", "bab", "aabab가"], "aababaabab가aababb")
@example(["a", "abab", "ba", "ababab가"], "abababababab가ababa")
def test_the_leftmost_longest_tokens_are_found(tokens, text):
    assert matcher(tokens).split(text) == slow_places(tokens, text)


@settings(max_examples=300)
@given(contents, st.lists(st.sampled_from("abcd"), max_size=8), st.data())
def test_tokens_that_begin_and_end_alike_are_found(tokens, order, data):
    # Texts made of the tokens and their beginnings, where most paths break off late.
    parts = data.draw(st.lists(st.sampled_from([t[:n] for t in tokens for n in range(1, len(t) + 1)]), max_size=12))
    text = "".join(parts) + "".join(order)
    assert matcher(tokens).split(text) == slow_places(tokens, text)


flags = st.fixed_dictionaries({name: st.booleans() for name in ("single_word", "lstrip", "rstrip", "normalized")})


@settings(max_examples=500)
@given(st.lists(st.tuples(st.text("ab가 ", min_size=1, max_size=6), flags, st.booleans()), min_size=1, max_size=6),
       st.text("ab가 \n", max_size=40))  # fmt: skip
def test_the_rules_of_tokens_are_kept_as_in_tokenizers(rows, text):
    made, theirs = Tokenizer(BPE({"x": 0})), oracle.Tokenizer(oracle.models.BPE({"x": 0}, []))
    for content, rules, special in rows:
        made.add_tokens([AddedToken(content, special=special, **rules)])
        theirs.add_tokens([oracle.AddedToken(content, special=special, **rules)])
    encoding = made.encode(text)
    try:
        expected = theirs.encode(text)
    except BaseException as error:  # overlapping blanks of two tokens end the process there
        if type(error).__name__ != "PanicException":
            raise
        reject()
    assert (encoding.ids, encoding.offsets) == (expected.ids, expected.offsets)
    assert made.encode_to_numpy([text])[0].tolist() == expected.ids


def test_long_tokens_with_one_beginning_do_not_slow_the_search():
    # 4,096 steps a byte, were the text read again after every path that breaks off.
    tokens = ["a" * 4096 + end for end in "bcd가"] + ["a", "aaa"]
    text = "a" * 1_500_000
    places = matcher(tokens).split(text)
    assert len(places) == 500_000
    assert places[-1] == (5, 1_499_997, 1_500_000)
    text = ("a" * 4095 + "x") * 300
    assert matcher(["a" * 4096]).split(text) == [(None, 0, len(text))]
