"""Labels of characters as labels of tokens, through normalization, and back."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textpipe import Regex, Tokenizer
from textpipe.errors import InputError
from textpipe.models import BPE, WordLevel
from textpipe.normalizers import NFC, NFD, NFKC, Lowercase, Sequence
from textpipe.pre_tokenizers import ByteLevel, Split, Whitespace
from textpipe.processors import TemplateProcessing
from textpipe.tasks.label_alignment import Span, align_answer, align_tags, spans_of

ALPHABET = "가각나ab서울 　ㅋＡé"


def words():
    made = Tokenizer(WordLevel({"[UNK]": 0, "[CLS]": 1, "[SEP]": 2}, unk_token="[UNK]"))
    made.pre_tokenizer = Whitespace()
    return made


def characters(normalizer):
    made = Tokenizer(WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    made.normalizer = normalizer
    made.pre_tokenizer = Split(Regex("."), "isolated")
    return made


def octets():
    made = Tokenizer(BPE({piece: at for at, piece in enumerate(sorted(ByteLevel.alphabet()))}, []))
    made.pre_tokenizer = ByteLevel(add_prefix_space=False)
    return made


def with_marks(tokenizer):
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    return tokenizer


@st.composite
def marked_texts(draw):
    """A text whose spans neither begin nor end with white space, side by side or apart."""
    pieces = draw(st.lists(st.tuples(st.text(ALPHABET, min_size=1, max_size=5), st.booleans()), max_size=6))
    text, spans = "", []
    for piece, is_marked in pieces:
        if is_marked and piece == piece.strip():
            spans.append(Span(len(text), len(text) + len(piece), draw(st.sampled_from(["PS", "LC"]))))
        text += piece
    return text, spans


@given(marked_texts())
def test_where_tokens_are_bytes_every_span_comes_back(marked):
    text, spans = marked
    encoding = octets().encode(text)
    aligned = align_tags(spans, encoding)
    assert aligned.lost == ()
    assert spans_of(text, encoding.offsets, aligned.tags, strict=True) == spans


@pytest.mark.parametrize("normalizer", [NFC(), NFD(), Sequence([NFKC(), Lowercase()])], ids=["NFC", "NFD", "NFKC"])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_spans_come_back_through_normalization(normalizer, form):
    parts = [("어제 ", None), ("홍길동", "PS"), ("이 ", None), ("ＫＢＳ", "OG"), ("에서 Café로", None)]
    text, spans = "", []
    for piece, kind in parts:
        written = unicodedata.normalize(form, piece)
        if kind:
            spans.append(Span(len(text), len(text) + len(written), kind))
        text += written
    encoding = characters(normalizer).encode(text)
    aligned = align_tags(spans, encoding)
    assert aligned.lost == ()
    assert spans_of(text, encoding.offsets, aligned.tags, strict=True) == spans


def test_a_span_ends_with_a_whole_syllable_but_takes_nothing_of_the_next_token():
    text = unicodedata.normalize("NFD", "동이")
    composed = [(0, 1), (3, 4)]  # as a normalizer that composes leaves them
    assert spans_of(text, composed, ["B-PS", "O"]) == [Span(0, 3, "PS")]
    assert spans_of(text, composed, ["O", "B-PS"]) == [Span(3, 5, "PS")]
    jamo = [(at, at + 1) for at in range(5)]
    assert spans_of(text, jamo, ["B-PS", "O", "O", "O", "O"]) == [Span(0, 1, "PS")]


def test_two_entities_of_one_type_side_by_side_stay_two():
    encoding = octets().encode("가나")
    spans = [Span(0, 1, "PS"), Span(1, 2, "PS")]
    aligned = align_tags(spans, encoding)
    assert aligned.tags == ("B-PS", "I-PS", "I-PS") * 2
    assert spans_of("가나", encoding.offsets, aligned.tags) == spans


def test_a_token_goes_to_the_entity_it_shares_most_with_and_the_other_is_lost():
    aligned = align_tags([Span(0, 1, "PS"), Span(1, 3, "LC")], words().encode("가나다 라"))
    assert aligned.tags == ("B-LC", "O")
    assert aligned.lost == (Span(0, 1, "PS"),)


def test_what_truncation_cut_is_lost_and_added_tokens_have_no_tag():
    tokenizer = with_marks(words())
    tokenizer.enable_truncation(3)
    aligned = align_tags([Span(0, 2, "PS"), Span(3, 5, "LC")], tokenizer.encode("서울 부산"))
    assert aligned.tags == (None, "B-PS", None)
    assert aligned.lost == (Span(3, 5, "LC"),)


@pytest.mark.parametrize(
    ("spans", "message"),
    [
        ([Span(0, 3, "PS"), Span(2, 4, "LC")], "overlap at character 2"),
        ([Span(2, 2, "PS")], "has no character"),
        ([Span(-1, 2, "PS")], "has no character"),
    ],
)
def test_spans_that_cannot_be_tags_are_refused(spans, message):
    with pytest.raises(InputError, match=message):
        align_tags(spans, words().encode("가나다 라"))


TEXT = "훈민정음은 세종대왕이 1443년에 만들었다"


@pytest.mark.parametrize(
    ("begin", "end", "tokens"),
    [(6, 10, (5, 5)), (0, 11, (4, 5)), (11, 18, (6, 6)), (len(TEXT) - 5, len(TEXT), (7, 7))],
)
def test_an_answer_is_the_tokens_that_touch_it(begin, end, tokens):
    encoding = with_marks(words()).encode("누가 만들었나", TEXT)
    assert align_answer(TEXT, begin, end, encoding) == tokens


def test_an_answer_in_the_first_text_is_found_there():
    encoding = with_marks(words()).encode(TEXT, "누가 만들었나")
    assert align_answer(TEXT, 6, 10, encoding, sequence=0) == (2, 2)


def test_an_answer_that_truncation_cut_is_refused():
    tokenizer = with_marks(words())
    tokenizer.enable_truncation(7)
    encoding = tokenizer.encode("누가 만들었나", TEXT)
    with pytest.raises(InputError, match="no token stands for the answer '만들었다'"):
        align_answer(TEXT, TEXT.index("만"), len(TEXT), encoding)
    with pytest.raises(InputError, match="truncation cut a part"):
        align_answer(TEXT, 6, len(TEXT), encoding)


@pytest.mark.parametrize(("begin", "end"), [(3, 3), (-1, 2), (0, 99), (5, 6)])
def test_an_answer_without_a_character_of_the_text_is_refused(begin, end):
    with pytest.raises(InputError, match="no character of the text"):
        align_answer(TEXT, begin, end, with_marks(words()).encode("누가", TEXT))
