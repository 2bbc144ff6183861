"""Ids to text: the text of `tokenizers`, from any sequence of whole numbers, whatever changed meanwhile."""

from __future__ import annotations

import json
import tracemalloc

import numpy as np
import pytest
import tokenizers as oracle
from hypothesis import given
from hypothesis import strategies as st
from tokenizer_samples import byte_level_json

from textpipe import AddedToken, Tokenizer, decoders
from textpipe.errors import InputError
from textpipe.models import WordLevel

DECODERS = [
    None,
    {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
    {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True},
    {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "never", "split": True},
    {"type": "WordPiece", "prefix": "##", "cleanup": True},
    {"type": "BPEDecoder", "suffix": "</w>"},
    {
        "type": "Sequence",
        "decoders": [
            {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
            {"type": "ByteFallback"},
            {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0},
        ],
    },
    {"type": "Replace", "pattern": {"String": "ㅋ"}, "content": "ㅋㅋㅋ"},
]
PIECES = ["▁한", "국", "##어", "▁", " .", " n't", "ŀ", "íķľ", "Ġ", "<0xEA>", "<0xB0>", "<0x80>", "<0xFF>", "ㅋ"]
PIECES += ["어</w>", "\u1112\u1161\u11ab", "<s>", "[SEP]"]


def pair(decoder):
    row = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {**AddedToken(PIECES[number], special=number < len(PIECES) - 1).to_dict(number)}
            for number in (len(PIECES) - 2, len(PIECES) - 1)
        ],
        "normalizer": None,
        "pre_tokenizer": None,
        "post_processor": None,
        "decoder": decoder,
        "model": {"type": "WordLevel", "vocab": {p: n for n, p in enumerate(PIECES)}, "unk_token": "ㅋ"},
    }
    text = json.dumps(row, ensure_ascii=False)
    return Tokenizer.from_str(text), oracle.Tokenizer.from_str(text)


PAIRS = [pair(decoder) for decoder in DECODERS]


@given(
    st.sampled_from(PAIRS),
    st.lists(st.lists(st.integers(0, len(PIECES) + 2), max_size=9), max_size=3),
    st.booleans(),
)
def test_text_is_that_of_tokenizers_whatever_the_decoder(both, ids, skip):
    ours, theirs = both
    assert ours.decode_batch(ids, skip) == theirs.decode_batch(ids, skip)
    assert [ours.decode(row, skip) for row in ids] == [theirs.decode(row, skip) for row in ids]


def test_real_korean_comes_back_from_ids_of_any_kind():
    tokenizer = Tokenizer.from_str(byte_level_json())
    text = "한국어를 배워요 \u1112\u1161\u11ab글 ㅋㅋㅋ😀"
    ids = tokenizer.encode(text).ids
    for given_ids in (ids, tuple(ids), iter(ids), np.array(ids), np.array(ids, np.uint16), map(np.int64, ids)):
        assert tokenizer.decode(given_ids) == text
    assert tokenizer.decode_batch(np.array([ids, ids])) == [text, text]


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([0, 1.5], r"id 1 is 1\.5 \(allowed: a whole number\)"),
        (np.array([0.0]), r"id 0 is 0\.0"),
        (["0"], "id 0 is '0'"),
        ([[0]], r"id 0 is \[0\]"),
        ([True], "id 0 is True"),
        ([-1], r"-1 is no id \(allowed: 0 to 4294967295\)"),
        ([2**32], "4294967296 is no id"),
        (5, "5 is no sequence of ids"),
        (None, "None is no sequence of ids"),
    ],
)
@pytest.mark.parametrize("decoder", [None, decoders.ByteLevel()])
def test_what_is_no_id_is_refused_with_its_place(ids, message, decoder):
    tokenizer = Tokenizer(WordLevel({"가": 0, "나": 1}, "가"))
    tokenizer.decoder = decoder
    assert tokenizer.decode([0, 1]) != ""  # what was met before is remembered, and not taken for the like
    with pytest.raises(InputError, match=message):
        tokenizer.decode(ids)
    with pytest.raises(InputError, match="sequence 1" if not np.isscalar(ids) and "no id" not in message else message):
        tokenizer.decode_batch([[0], ids])


@pytest.mark.parametrize("wrong", [3, b"\xea", None, ["가"]])
def test_a_piece_that_is_no_string_is_refused(wrong):
    with pytest.raises(InputError, match="a piece is"):
        Tokenizer(WordLevel({"가": 0}, "가")).token_to_id(wrong)


@pytest.mark.parametrize("wrong", ["가", 1.0, -1, None])
def test_an_id_that_is_none_is_refused(wrong):
    with pytest.raises(InputError, match="an id is"):
        Tokenizer(WordLevel({"가": 0}, "가")).id_to_token(wrong)


def test_a_change_is_seen_though_ids_were_met_before():
    tokenizer = Tokenizer(WordLevel({"가": 0, "íķľ": 1}, "가"))
    tokenizer.decoder = decoders.ByteLevel()
    assert tokenizer.decode([1, 2]) == "한"
    tokenizer.add_special_tokens(["<끝>"])
    assert tokenizer.decode([1, 2], skip_special_tokens=False) == "한<끝>"
    assert tokenizer.decode([1, 2]) == "한"
    tokenizer.decoder = decoders.WordPiece()
    assert tokenizer.decode([1, 0]) == "íķľ 가"
    tokenizer.decoder.prefix = "가"
    assert tokenizer.decode([1, 0]) == "íķľ"
    tokenizer.model = WordLevel({"나": 0}, "나")
    assert tokenizer.decode([0, 1]) == "나"


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("model", None), ("model", {"가": 0}), ("normalizer", "NFC"), ("pre_tokenizer", 3), ("decoder", str),
     ("post_processor", decoders.ByteLevel())],
)  # fmt: skip
def test_what_is_no_such_stage_is_refused_and_the_old_one_stays(name, wrong):
    tokenizer = Tokenizer(WordLevel({"가": 0}, "가"))
    before = tokenizer.to_str()
    with pytest.raises(InputError, match=rf"the {name} is .*\(allowed: "):
        setattr(tokenizer, name, wrong)
    assert tokenizer.to_str() == before
    if name == "model":
        with pytest.raises(InputError, match=r"the model is .*\(allowed: Model\)"):
            Tokenizer(wrong)


def test_one_string_is_no_list_of_tokens_to_add():
    with pytest.raises(InputError, match="the tokens to add are a str"):
        Tokenizer(WordLevel({"가": 0}, "가")).add_tokens("가나다")


@pytest.mark.parametrize("decoder", [None, decoders.ByteLevel()])
def test_ids_without_a_piece_take_no_memory_however_many_there_are(decoder):
    tokenizer = Tokenizer(WordLevel({"가": 0}, "가"))
    tokenizer.decoder = decoder
    tokenizer.decode([0, 1])
    tracemalloc.start()
    for first in range(1000, 51_000, 1000):
        tokenizer.decode(range(first, first + 1000))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 200_000  # bytes; an entry of a dictionary for each would be 5 million
