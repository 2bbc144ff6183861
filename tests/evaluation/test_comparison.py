"""Where two tokenizers cut differently."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from textpipe import Tokenizer
from textpipe.evaluation.comparison import compare_tokenizers, differing_stretches
from textpipe.models import BPE
from textpipe.pre_tokenizers import WhitespaceSplit
from textpipe.records import Document


def tokenizer_of(*merges):
    letters = sorted(set("가나무다라 abc"))
    vocab = {piece: number for number, piece in enumerate(letters)}
    for left, right in merges:
        vocab.setdefault(left + right, len(vocab))
    made = Tokenizer(BPE(vocab, list(merges)))
    made.pre_tokenizer = WhitespaceSplit()
    return made


def documents(*texts):
    return [Document(id=f"d{number}", text=text) for number, text in enumerate(texts)]


def test_a_tokenizer_compared_with_itself_has_no_difference():
    one = tokenizer_of(("나", "무"))
    found = compare_tokenizers(one, tokenizer_of(("나", "무")), documents("나무 가", "다라"))
    assert found.num_documents == found.num_documents_same_ids == found.num_documents_same_cut == 2
    assert found.differences == found.documents == []
    assert found.stages_different == ()


def test_the_stretch_cut_differently_is_named_with_both_cuts_and_how_often():
    found = compare_tokenizers(tokenizer_of(("나", "무")), tokenizer_of(), documents("나무 가", "가 나무", "다"))
    (difference,) = found.differences
    assert (difference.text, difference.first, difference.second) == ("나무", ("나무",), ("나", "무"))
    assert difference.count == 2
    assert found.num_tokens == (5, 7)
    assert found.num_documents_same_cut == 1
    assert found.num_chars_different == 4


def test_one_token_more_at_the_beginning_is_one_difference():
    found = compare_tokenizers(tokenizer_of(("가", "나")), tokenizer_of(), documents("가나 다 라 무 다 라"))
    assert [row.text for row in found.differences] == ["가나"]


def test_the_worst_document_stands_first_and_of_equals_the_earlier():
    texts = documents("가", "나무 가 나무", "나무", "가 나무")
    found = compare_tokenizers(tokenizer_of(("나", "무")), tokenizer_of(), texts)
    assert [row.id for row in found.documents] == ["d1", "d2", "d3"]
    few = compare_tokenizers(tokenizer_of(("나", "무")), tokenizer_of(), texts, num_examples=1)
    assert [row.id for row in few.documents] == ["d1"]


def test_vocabularies_are_compared_without_any_text():
    found = compare_tokenizers(tokenizer_of(("나", "무"), ("가", "나")), tokenizer_of(("가", "나")))
    assert found.vocab_sizes == (11, 10)
    assert found.num_shared_pieces == 10
    assert found.num_same_ids == 9  # 가나 has another id
    assert found.stages_different == ("model",)


def test_white_space_at_the_edge_of_a_token_is_no_difference():
    assert list(differing_stretches("a the", [(0, 1), (1, 5)], [(0, 1), (2, 5)])) == []


def test_parts_of_one_character_are_a_difference_from_the_whole():
    assert list(differing_stretches("쀍가", [(0, 1), (0, 1), (1, 2)], [(0, 1), (1, 2)])) == [(0, 1)]


cuts = st.lists(st.integers(0, 12), max_size=8).map(lambda places: sorted({0, 12, *places}))


@given(cuts, cuts)
def test_stretches_hold_exactly_the_cuts_that_only_one_of_them_makes(one, other):
    spans, others = (list(pairwise(places)) for places in (one, other))
    stretches = list(differing_stretches("가" * 12, spans, others))
    inside = {place for begin, end in stretches for place in range(begin + 1, end)}
    assert set(one) ^ set(other) == inside & (set(one) ^ set(other))
    assert all(begin in set(one) & set(other) and end in set(one) & set(other) for begin, end in stretches)
    assert all((set(one) ^ set(other)) & set(range(begin + 1, end)) for begin, end in stretches)
