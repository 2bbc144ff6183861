"""The JSON reader gives what `json` gives, and refuses what no tokenizer's file may hold."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from textpipe.core._json import parse
from textpipe.core._pairs import PairList
from textpipe.errors import FormatError

characters = st.characters(exclude_categories=["Cs"])
numbers = st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False))
scalars = st.one_of(st.none(), st.booleans(), numbers, st.text(characters))
values = st.recursive(
    scalars, lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(characters), inner)), max_leaves=20
)


def read(text, *, depth=40, pairs=None):
    return parse(text.encode("utf-8", "surrogatepass"), path="x", depth=depth, pairs=pairs)


@given(values, st.booleans(), st.sampled_from([None, 0, 1, 12]))
def test_what_json_writes_is_read_as_by_json(value, ascii_only, indent):
    assert read(json.dumps(value, ensure_ascii=ascii_only, indent=indent)) == value


def by_json(text):
    """What `json` makes of a text without what is refused here on purpose; None where it refuses it."""

    def no_twice(pairs):
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)

    def refuse(name):
        raise ValueError(name)

    try:
        value = json.loads(text, object_pairs_hook=no_twice, parse_constant=refuse)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, AssertionError):
        return None
    return [value]


def by_ours(text):
    try:
        return [read(text)]
    except FormatError:
        return None


LETTERS = '{}[],:"\\/ubn0179-+.eE \n\ttrufalse가\ud83d\ude00\x00\x7f\ufeff'.encode("utf-16", "surrogatepass").decode(
    "utf-16"
)


@given(st.text(st.sampled_from(LETTERS), max_size=12))
@example('"\\ud83d\\ude00"')
@example('"\\ud83d\\u0041"')
@example('"\\ud83d"')
@example('"\\udc00a"')
@example("-0")
@example("-0.0")
@example("01")
@example("1.")
@example("1e5")
@example("-")
@example("123456789012345678901")
@example('{"a":1,"a":2}')
@example('["a","b"]')
@example("tru")
@example("nullx")
@example("")
def test_any_text_is_refused_or_read_as_by_json(text):
    if not text.startswith("\ufeff"):  # a byte-order mark is passed over here, and refused there
        assert by_ours(text) == by_json(text)


@given(st.lists(st.tuples(st.text(characters), st.text(characters)), min_size=1), st.booleans(), st.booleans())
def test_pairs_are_read_in_a_row(pairs, ascii_only, as_strings):
    if as_strings:
        pairs = [(left.replace(" ", "_"), right.replace(" ", "_")) for left, right in pairs]
    rows = [" ".join(pair) if as_strings else pair for pair in pairs]
    found = read(json.dumps({"merges": rows, "others": rows}, ensure_ascii=ascii_only, indent=2), pairs="merges")
    assert isinstance(found["merges"], PairList)
    assert list(found["merges"]) == pairs
    assert len(found["merges"]) == len(pairs)
    assert found["others"] == json.loads(json.dumps(rows))


@pytest.mark.parametrize(
    "rows", [[], [["a"]], [["a", "b", "c"]], ["ab"], ["a b c"], [["a", 1]], {"a": "b"}, None, 5, "a b"]
)
def test_what_are_no_pairs_is_read_as_it_is(rows):
    assert read(json.dumps({"merges": rows}), pairs="merges") == {"merges": rows}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": [0, {"b": "\\ud800"}]}', r'x: a\[1\]\.b: holds a lone surrogate in "\\ud800"'),
        ('{"a": {"\\udfff": 0}}', r"x: a: holds a lone surrogate"),
        ('["a\tb"]', "x at byte 3: not JSON: a control character"),
        ('["a', "x at byte 3: not JSON: a string does not end"),
        ('["a\\', "not JSON: a string does not end"),
        ('["\\x"]', "x at byte 2: not JSON: a wrong escape"),
        ('{"a": 1, "a": 2}', "x: 'a': a key stands twice"),
        ("[[[[]]]]", "x at byte 3: nested deeper than 3 levels"),
        ("[1 2]", "x at byte 3: not JSON: no comma"),
        ("[1] 2", "x at byte 4: not JSON: something follows"),
        ('{"a" 1}', "x at byte 5: not JSON: no colon"),
        ("{a: 1}", "x at byte 1: not JSON: no key"),
        ("9" * 5000, "not JSON that can be used"),
    ],
)
def test_a_fault_is_placed(text, message):
    with pytest.raises(FormatError, match=message):
        read(text, depth=3)


def test_a_text_that_is_no_utf8_is_refused_with_the_byte():
    with pytest.raises(FormatError, match="x at byte 2: not UTF-8"):
        parse(b'["\xff"]', path="x", depth=3)


def test_a_text_cut_anywhere_is_refused():
    text = json.dumps({"a": ["가", -1.5e3, None, True, {"b": "\\\n"}], "merges": [["x", "y"], ["z", "w"]]}, indent=1)
    data = text.encode()
    assert parse(data, path="x", depth=9, pairs="merges")
    for size in range(len(data)):
        with pytest.raises(FormatError):
            parse(data[:size], path="x", depth=9, pairs="merges")
