"""Texts of any iterable are all encoded; what is no text is refused with its number."""

from __future__ import annotations

import numpy as np
import pytest

from textpipe import Tokenizer
from textpipe.errors import TextpipeError
from textpipe.models import WordLevel
from textpipe.pre_tokenizers import WhitespaceSplit

TEXTS = ["가 나", "나", "", "한국어"]


@pytest.fixture
def tokenizer():
    made = Tokenizer(WordLevel({"?": 0, "가": 1, "나": 2}, "?"))
    made.pre_tokenizer = WhitespaceSplit()
    return made


def ids_of(tokenizer, method, texts):
    made = getattr(tokenizer, method)(texts, **({"pad_id": 9} if method == "encode_to_matrix" else {}))
    if method == "encode_spans_to_numpy":
        return [made.ids.tolist(), made.offsets.tolist()]
    if method in ("encode_to_numpy", "encode_to_matrix"):
        return [part.tolist() for part in made]
    return [encoding.ids for encoding in made]


DOORS = ["encode_batch", "encode_batch_fast", "encode_to_numpy", "encode_spans_to_numpy", "encode_to_matrix"]


@pytest.mark.parametrize("method", DOORS)
@pytest.mark.parametrize("kind", [iter, tuple, np.array, lambda texts: (text for text in texts)])
def test_texts_of_any_iterable_are_all_encoded(tokenizer, method, kind):
    assert ids_of(tokenizer, method, kind(TEXTS)) == ids_of(tokenizer, method, TEXTS)
    tokenizer.enable_truncation(1)
    assert ids_of(tokenizer, method, kind(TEXTS)) == ids_of(tokenizer, method, TEXTS)


def test_words_of_a_generator_are_all_encoded(tokenizer):
    assert tokenizer.encode((word for word in ["가", "나"]), is_pretokenized=True).ids == [1, 2]


@pytest.mark.parametrize("method", DOORS)
@pytest.mark.parametrize("texts", ["가", b"ab", {"가": 1}, {"가"}, 3, None, ["가", None], ["가", 3]], ids=str)
def test_what_is_no_batch_of_texts_is_refused_saying_which(tokenizer, method, texts):
    with pytest.raises(TextpipeError, match=r"a batch is a list of texts, not|text 1|item 1 of the batch"):
        ids_of(tokenizer, method, texts)


@pytest.mark.parametrize("items", [[("가", "나"), ("가", "\ud800")], [["가"], ["나", "\ud800"]]])
def test_half_a_surrogate_pair_in_an_item_is_told_with_the_number_of_the_item(tokenizer, items):
    with pytest.raises(TextpipeError, match=r"item 1 of the batch: .*lone surrogate"):
        tokenizer.encode_batch(items, is_pretokenized=isinstance(items[0], list))


@pytest.mark.parametrize(
    "call",
    [
        lambda made: made.encode_batch(["가"], threads="2"),
        lambda made: made.encode_batch(["가"], threads=1.5),
        lambda made: made.encode_to_numpy(["가"], threads=True),
        lambda made: made.encode("가", special=True),
        lambda made: made.encode_segments(None),
        lambda made: made.encode_segments("가"),
        lambda made: made.enable_truncation("5"),
        lambda made: made.enable_padding(length="3"),
        lambda made: made.enable_padding(pad_token=3),
        lambda made: made.encode_to_matrix(["가"], pad_id="0"),
        lambda made: made.encode_to_matrix(["가"], pad_id=0, length="3"),
        lambda made: made.encode({"가": 1}, is_pretokenized=True),
    ],
)
def test_an_argument_of_another_type_is_refused_in_words(tokenizer, call):
    with pytest.raises(TextpipeError):
        call(tokenizer)
    assert tokenizer.encode("가").ids == [1]
