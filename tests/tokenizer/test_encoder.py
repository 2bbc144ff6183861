"""Batches: what they hold is what each text gives alone, however they are encoded."""

from __future__ import annotations

import numpy as np
import pytest
import tokenizers as oracle
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizer_samples import KOREAN_LINES, byte_level_json, texts

from textpipe import AddedToken, Tokenizer, normalizers, pre_tokenizers, processors
from textpipe.encoding import COLUMNS, padding
from textpipe.errors import InputError, LimitError
from textpipe.limits import Limits
from textpipe.stages.pattern import Regex

MARKS = ("<s>", "</s>", "<영화>", "그")


def prepared(*, framed: bool, staged: bool, normalized: bool) -> Tokenizer:
    """A tokenizer with added tokens of each kind."""
    tokenizer = Tokenizer.from_str(byte_level_json())
    tokenizer.add_special_tokens(["<s>", "</s>"])
    tokenizer.add_tokens([AddedToken("<영화>", lstrip=True, normalized=False), AddedToken("그", single_word=True)])
    if normalized:
        tokenizer.normalizer = normalizers.NFC()
    if staged:
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Split(Regex("(?!)"), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )
    if framed:
        ids = [(mark, tokenizer.token_to_id(mark)) for mark in ("<s>", "</s>")]
        tokenizer.post_processor = processors.TemplateProcessing("<s> $A </s>", "<s> $A </s> $B:1 </s>:1", ids)
    return tokenizer


def fields(encoding) -> list:
    lists = [getattr(encoding, name) for name in (*COLUMNS, "sequence_ids", "n_sequences")]
    return [*lists, [fields(part) for part in encoding.overflowing]]


marked = st.lists(st.one_of(texts, st.sampled_from(MARKS)), max_size=4).map("".join)
tokenizers = st.builds(prepared, framed=st.booleans(), staged=st.booleans(), normalized=st.booleans())


@settings(max_examples=60)
@given(
    tokenizer=tokenizers,
    rows=st.lists(marked, max_size=6),
    threads=st.integers(1, 3),
    add_special_tokens=st.booleans(),
    cut=st.none() | st.tuples(st.integers(4, 9), st.integers(0, 1)),
    policy=st.sampled_from([None, "allow", "text"]),
)
def test_a_batch_holds_what_each_text_gives_alone(  # noqa: PLR0917
    tokenizer, rows, threads, add_special_tokens, cut, policy
):
    if cut is not None:
        tokenizer.enable_truncation(cut[0], stride=cut[1])
    alone = [tokenizer.encode(row, add_special_tokens=add_special_tokens, special=policy) for row in rows]
    batch = tokenizer.encode_batch(rows, add_special_tokens=add_special_tokens, special=policy, threads=threads)
    fast = tokenizer.encode_batch_fast(rows, add_special_tokens=add_special_tokens, special=policy, threads=threads)
    assert list(map(fields, batch)) == list(map(fields, alone))
    assert [encoding.ids for encoding in fast] == [encoding.ids for encoding in alone]


@settings(max_examples=60)
@given(
    framed=st.booleans(),
    rows=st.lists(marked, max_size=5) | st.lists(marked | st.tuples(marked, marked), max_size=5),
    # Of two texts beside three special tokens, each has to keep more than a stride.
    cut=st.none() | st.tuples(st.integers(7, 9), st.integers(0, 1)),
    padded=st.booleans(),
    fast=st.booleans(),
)
def test_a_batch_is_that_of_tokenizers(framed, rows, cut, padded, fast):
    ours = prepared(framed=framed, staged=False, normalized=True)
    theirs = oracle.Tokenizer.from_str(ours.to_str())
    for tokenizer in (ours, theirs):
        if cut is not None:
            tokenizer.enable_truncation(cut[0], stride=cut[1])
        if padded:
            tokenizer.enable_padding(pad_id=3, pad_token="<pad>")
    found, expected = (
        getattr(tokenizer, "encode_batch_fast" if fast else "encode_batch")(rows) for tokenizer in (ours, theirs)
    )
    if fast:  # only the ids are promised there
        assert [encoding.ids for encoding in found] == [encoding.ids for encoding in expected]
    else:
        assert list(map(fields, found)) == list(map(fields, expected))


def test_many_texts_on_threads_hold_what_each_gives_alone():
    tokenizer = prepared(framed=True, staged=False, normalized=True)
    rows = [line * (20 + number) for number, line in enumerate(KOREAN_LINES * 4)]
    rows += rows * ((1 << 18) // sum(map(len, rows)))
    assert sum(map(len, rows)) > 1 << 18  # fewer characters are encoded without threads
    alone = {row: tokenizer.encode(row) for row in set(rows)}
    for threads in (1, 3):
        assert tokenizer.encode_batch(rows, threads=threads) == [alone[row] for row in rows]


def test_an_encoding_keeps_its_pieces_when_the_tokenizer_changes_after():
    tokenizer = prepared(framed=True, staged=False, normalized=False)
    expected = fields(tokenizer.encode("<영화>그 영화"))
    late = tokenizer.encode_batch(["<영화>그 영화"])[0]
    tokenizer.add_tokens(["영화"])
    tokenizer.normalizer = normalizers.Lowercase()
    assert fields(late) == expected


def test_thousands_of_words_cut_beforehand_are_one_encoding():
    words = ["영화", "그", "<s>", ""] * 1000
    ours = prepared(framed=True, staged=False, normalized=False)
    theirs = oracle.Tokenizer.from_str(ours.to_str())
    assert fields(ours.encode(words, is_pretokenized=True)) == fields(theirs.encode(words, is_pretokenized=True))


def test_the_text_of_a_batch_that_cannot_be_encoded_is_named():
    tokenizer = prepared(framed=True, staged=False, normalized=False)
    with pytest.raises(InputError, match=r"text 1: .*U\+D83D, at character 1"):
        tokenizer.encode_batch(["가", "나\ud83d"])
    with pytest.raises(InputError, match=r'text 2 holds the special token "<s>" at character 1'):
        tokenizer.encode_batch(["가", "나", "다<s>"], special="raise")
    with pytest.raises(InputError, match="0 threads"):
        tokenizer.encode_batch(["가"], threads=0)


@settings(max_examples=60)
@given(
    tokenizer=tokenizers,
    rows=st.lists(marked, max_size=6),
    more=st.none() | st.integers(0, 3),
    direction=st.sampled_from(["left", "right"]),
    cut=st.none() | st.integers(3, 9),
    threads=st.integers(1, 3),
)
def test_a_matrix_holds_the_padded_ids_of_a_batch(  # noqa: PLR0917
    tokenizer, rows, more, direction, cut, threads
):
    if cut is not None:
        tokenizer.enable_truncation(cut)
    expected = [encoding.ids for encoding in tokenizer.encode_batch(rows)]
    width = max(map(len, expected), default=0) + (more or 0)
    length = None if more is None else width
    ids, lengths = tokenizer.encode_to_matrix(rows, pad_id=7, length=length, direction=direction, threads=threads)
    assert ids.shape == (len(rows), width)
    assert ids.dtype == np.uint16
    assert lengths.dtype == np.int64
    assert lengths.tolist() == [len(row) for row in expected]
    tokenizer.enable_padding(pad_id=7, length=width, direction=direction)
    assert ids.tolist() == [encoding.ids for encoding in tokenizer.encode_batch(rows)]


def test_no_text_is_cut_to_fit_a_row():
    tokenizer = prepared(framed=False, staged=False, normalized=False)
    with pytest.raises(InputError, match="text 1 has 2 tokens, and a row holds 1"):
        tokenizer.encode_to_matrix(["<s>", "<s></s>", ""], pad_id=0, length=1)
    assert tokenizer.encode_to_matrix(["<s>", ""], pad_id=0, length=1)[1].tolist() == [1, 0]


def test_a_matrix_has_room_for_the_id_that_fills_it():
    tokenizer = prepared(framed=False, staged=False, normalized=False)
    ids, _ = tokenizer.encode_to_matrix(["<s>", ""], pad_id=1 << 16)
    assert ids.tolist() == [[tokenizer.token_to_id("<s>")], [1 << 16]]
    assert ids.dtype == np.uint32


@pytest.mark.parametrize(("arguments", "message"), [({"pad_id": -1}, "pad_id"), ({"direction": "up"}, "direction")])
def test_what_no_matrix_can_be_filled_with_is_refused(arguments, message):
    tokenizer = prepared(framed=False, staged=False, normalized=False)
    with pytest.raises(InputError, match=message):
        tokenizer.encode_to_matrix(["가"], **{"pad_id": 0, **arguments})


def test_a_matrix_larger_than_the_cap_is_refused_before_it_is_made(monkeypatch):
    monkeypatch.setattr(padding, "DEFAULT_LIMITS", Limits(padded_tokens=6))
    ids, offsets = np.array([1, 2], dtype=np.uint16), np.array([0, 1, 2])
    assert padding.padded_matrix(ids, offsets, pad_id=0, length=3)[0].shape == (2, 3)
    for length in (4, 1 << 40):
        with pytest.raises(LimitError, match="2 texts in rows of"):
            padding.padded_matrix(ids, offsets, pad_id=0, length=length)
