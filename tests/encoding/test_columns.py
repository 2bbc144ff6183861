"""The lists of encodings: made when they are asked for, the same as if they had been made at once."""

from __future__ import annotations

import gc
import pickle

import numpy as np
import pytest
import tokenizers as oracle
from hypothesis import given, settings
from hypothesis import strategies as st

from textpipe import Encoding, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from textpipe.core._places import number_list, token_rows
from textpipe.encoding import COLUMNS
from textpipe.encoding.columns import GivenColumns, PartOfColumns

TEXT = "영화 <s> it's 좋았다ㅋㅋ 한국어"
PIECES = ["영화", "그", "영", "화", "좋", "았", "다", "ㅋ", "한국", "어", "a", "it", "'s", "i", "t"]


def unigram(alpha=None):
    rows = [("<unk>", -20.0), *[(piece, -1.0 - rank / 10) for rank, piece in enumerate(PIECES)]]
    made = Tokenizer(models.Unigram(rows, 0, False, alpha=alpha))
    made.normalizer = normalizers.NFKC()
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made.add_special_tokens(["<s>"])
    return made


class Whole(pre_tokenizers.PreTokenizer):
    """Leaves texts whole, in Python: no native program can take it."""

    def pre_tokenize(self, pretok):
        pretok.split(lambda number, part: [part])


def staged(tokenizer):
    made = Tokenizer.from_str(tokenizer.to_str())
    made.pre_tokenizer = pre_tokenizers.Sequence([made.pre_tokenizer, pre_tokenizers.PreTokenizer.custom(Whole())])
    assert made.pipeline.native is None
    return made


def columns(encoding):
    return [getattr(encoding, name) for name in COLUMNS]


@settings(max_examples=60, deadline=None)
@given(
    text=st.text("영화그좋았다ㅋ한국어 a영화it's<s>가\u1112\u1161\u11ab㈜😀", max_size=30),
    order=st.permutations(COLUMNS),
    words=st.booleans(),
)
def test_lists_asked_for_one_by_one_are_those_of_the_stages(text, order, words):
    native = unigram()
    given_text = text.split() if words else text
    encoding = native.encode(given_text, is_pretokenized=words)
    expected = staged(native).encode(given_text, is_pretokenized=words)
    assert {name: getattr(encoding, name) for name in order} == {name: getattr(expected, name) for name in order}
    assert columns(native.encode_batch([given_text], is_pretokenized=words)[0]) == columns(expected)


def test_a_drawn_spelling_is_the_same_in_every_list():
    tokenizer = unigram(alpha=0.1)
    for encoding in [tokenizer.encode("영화그영화 좋았다"), *tokenizer.encode_batch(["영화 한국어", "없는 말"] * 20)]:
        assert [tokenizer.id_to_token(number) for number in encoding.ids] == [
            "<unk>" if token not in PIECES else token for token in encoding.tokens
        ]
        assert len(encoding.offsets) == len(encoding.word_ids) == len(encoding.ids)
    words = tokenizer.encode(["영화", "영화그"], is_pretokenized=True)
    assert "".join(words.tokens) == "영화영화그"
    assert len({tuple(tokenizer.encode("영화영화영화").ids) for _ in range(60)}) > 1


def test_a_change_of_the_tokenizer_does_not_change_what_was_encoded():
    tokenizer = unigram()
    kept, expected = tokenizer.encode(TEXT), columns(tokenizer.encode(TEXT))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.add_tokens(["영화"])
    assert columns(kept) == expected


def test_an_encoding_that_was_given_types_or_trimmed_stays_so_when_the_first_one_is_padded():
    encoding = Encoding.of_tokens([1, 2], ["Ġa", "b"], [(0, 2), (2, 3)], [0, 0])
    typed = encoding.with_type_id(3)
    (trimmed,) = processors.ByteLevel().apply([encoding], add_special_tokens=True)
    encoding.pad(5)
    assert typed.type_ids == [3, 3]
    assert trimmed.offsets == [(0, 2), (2, 3)]


@pytest.mark.parametrize("growing", [True, False])
def test_thousands_of_encodings_become_one_in_one_go_or_one_by_one(growing):
    ours = [Encoding.of_tokens([n], ["가나"], [(0, 2)], [n]) for n in range(3000)]
    theirs = oracle.Tokenizer(oracle.models.WordLevel({"가나": 0}, "가나")).encode("가나")
    at_once = Encoding.merge(ours, growing_offsets=growing)
    assert at_once.offsets == oracle.Encoding.merge([theirs] * 3000, growing_offsets=growing).offsets
    slowly = ours[0]
    for part in ours[1:]:
        slowly = Encoding.merge([slowly, part], growing_offsets=growing)
    assert columns(slowly) == columns(at_once)


def test_an_encoding_padded_a_token_at_a_time_is_one_padded_at_once():
    slow, quick = [Encoding.of_tokens([7], ["가"], [(0, 1)], [0]) for _ in range(2)]
    for length in range(2, 3000):
        slow.pad(length, direction="left" if length % 2 else "right")
    for length in (1500, 2999):
        quick.pad(length, direction="left" if length % 2 else "right")
    assert len(slow) == len(quick) == 2999
    assert sorted(slow.ids) == sorted(quick.ids)
    assert slow.ids.index(7) == 1499


def test_a_part_of_parts_is_cut_out_of_the_whole():
    part = GivenColumns(5000, {name: list(range(5000)) for name in COLUMNS})
    for _ in range(2000):
        part = PartOfColumns(part, 1, part.num_tokens).settled()
    assert part.values("ids") == list(range(2000, 5000))


def test_a_pickled_encoding_has_every_list():
    encoding = unigram().encode(TEXT)
    assert columns(pickle.loads(pickle.dumps(encoding))) == columns(encoding)  # noqa: S301  (our own bytes)


NUMBERS = st.integers(0, 300) | st.integers(65_530, 65_540) | st.integers(0, 2**32 - 1)


@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS), max_size=50), st.data())
def test_the_rows_of_texts_are_those_between_their_offsets(tokens, data):
    rows = np.array(tokens, dtype=np.uint32).reshape(-1, 4).T.copy()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(tokens)), max_size=5)))
    offsets = [0, *cuts, len(tokens)]
    made = token_rows(rows, np.array(offsets, dtype=np.int64))
    assert len(made) == len(offsets) - 1
    for text, begin, end in zip(made, offsets, offsets[1:], strict=False):
        part = tokens[begin:end]
        assert text.num_tokens == len(part)
        assert text.ids() == [token[0] for token in part]
        assert text.places() == [token[1:3] for token in part]
        assert text.words() == [token[3] for token in part]
        assert all(text.has_id(token[0]) for token in part)
        assert text.has_id(77) == any(token[0] == 77 for token in part)
        pieces = {token[0]: None if token[0] % 3 == 0 else f"<{token[0]}>" for token in part}
        found, left = text.pieces(pieces)
        assert found == [pieces[token[0]] for token in part]
        assert left == [place for place, token in enumerate(part) if token[0] % 3 == 0]


@pytest.mark.parametrize("kind", [np.uint16, np.uint32])
@given(data=st.data())
def test_numbers_are_those_of_the_row(kind, data):
    ids = data.draw(st.lists(st.integers(0, np.iinfo(kind).max) | st.integers(65_530, 65_535), max_size=50))
    row = np.array(ids, dtype=kind)
    assert number_list(row) == ids
    assert number_list(row) is not number_list(row)


def test_what_is_no_row_of_ids_is_refused():
    for row in (np.zeros((2, 2), dtype=np.uint32), np.zeros(2, dtype=np.int64)):
        with pytest.raises(ValueError, match="no row of numbers"):
            number_list(row)
    with pytest.raises(ValueError, match="3 rows, not 4"):
        token_rows(np.zeros((3, 2), dtype=np.uint32), np.array([0, 2]))
    (row,) = token_rows(np.zeros((4, 1), dtype=np.uint32), np.array([0, 1]))
    with pytest.raises(KeyError):
        row.pieces({})


def test_a_list_that_was_given_out_belongs_to_whoever_asked():
    encoding = unigram().encode(TEXT)
    joined = Encoding.merge([encoding, unigram().encode(TEXT)])
    for made in (encoding, joined, encoding.with_type_id(1)):
        for name in COLUMNS:
            before = getattr(made, name)
            getattr(made, name).clear()
            assert getattr(made, name) == before


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text("영화그 <s>it's좋", max_size=6) | st.just("영화 <s>" * 3_000), max_size=8), st.randoms())
def test_lists_of_a_batch_are_those_of_its_texts_one_by_one_in_whatever_order_they_are_asked_for(texts, random):
    tokenizer = unigram()
    encodings = list(enumerate(tokenizer.encode_batch(texts)))
    random.shuffle(encodings)
    for number, encoding in encodings:
        assert columns(encoding) == columns(tokenizer.encode(texts[number]))


@pytest.mark.parametrize("enabled", [True, False])
def test_making_places_leaves_the_collector_as_it_was(enabled):
    before = gc.isenabled()
    (row,) = token_rows(np.zeros((4, 3), dtype=np.uint32), np.array([0, 3]))
    try:
        (gc.enable if enabled else gc.disable)()
        row.places()
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if before else gc.disable)()


@pytest.mark.parametrize("offsets", [[-1, 2], [0, 4], [2, 1], [0, 2**40]])
def test_offsets_outside_of_the_rows_are_refused(offsets):
    with pytest.raises(ValueError, match="in rows of 3"):
        token_rows(np.zeros((4, 3), dtype=np.uint32), np.array(offsets))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text("영화그 <s>it's\u1112\u1161ab좋", max_size=20), max_size=5), st.integers(1, 3))
def test_flat_places_are_those_of_the_encodings(texts, threads):
    byte_level = Tokenizer(
        models.BPE({letter: n for n, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))})
    )
    byte_level.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    byte_level.decoder = decoders.ByteLevel()
    for tokenizer in (unigram(), staged(unigram()), byte_level):
        tokenizer.post_processor = processors.TemplateProcessing("<s> $A", special_tokens=[("<s>", 1)])
        spans = tokenizer.encode_spans_to_numpy(texts, threads=threads)
        encodings = tokenizer.encode_batch(texts, add_special_tokens=False)
        assert spans.ids.tolist() == [number for encoding in encodings for number in encoding.ids]
        places = list(zip(spans.begins.tolist(), spans.ends.tolist(), strict=True))
        assert places == [place for encoding in encodings for place in encoding.offsets]
        assert spans.words.tolist() == [word for encoding in encodings for word in encoding.word_ids]
        assert np.diff(spans.offsets).tolist() == [len(encoding) for encoding in encodings]


def wordlike(kind):
    """A tokenizer whose words are remembered with the sizes of their tokens, and the same of `tokenizers`."""
    if kind == "word piece":
        made = oracle.Tokenizer(
            oracle.models.WordPiece({"[UNK]": 0, "##가": 1, "##나": 2, "가": 3, "나다": 4, "#": 5, "##": 6, "a": 7})
        )
    elif kind == "word level":
        made = oracle.Tokenizer(oracle.models.WordLevel({"[UNK]": 0, "가": 1, "나다": 2, "##가": 3}, "[UNK]"))
    else:
        rows = [
            ("<unk>", -20.0),
            *[(piece, -1.0 - rank / 10) for rank, piece in enumerate(["가", "나다", "가나", "a", "##"])],
        ]
        rows += [(f"<0x{byte:02X}>", -9.0) for byte in range(256)] if kind == "unigram of bytes" else []
        made = oracle.Tokenizer(oracle.models.Unigram(rows, 0, kind == "unigram of bytes"))
    made.normalizer = oracle.normalizers.NFC()
    made.pre_tokenizer = oracle.pre_tokenizers.WhitespaceSplit()
    return Tokenizer.from_str(made.to_str()), made


@pytest.mark.parametrize("kind", ["word piece", "word level", "unigram", "unigram of bytes"])
@settings(max_examples=60, deadline=None)
@given(words=st.lists(st.text("가나다\u1100\u1161#a뷁😀é[UNK]<0x1>", min_size=1, max_size=6), max_size=12))
def test_places_follow_from_remembered_ids_also_where_an_id_has_several_sizes(kind, words):
    ours, theirs = wordlike(kind)
    text = " ".join(words)
    expected = theirs.encode(text)
    spans = ours.encode_spans_to_numpy([text, text])
    for document in range(2):
        place = slice(spans.offsets[document], spans.offsets[document + 1])
        assert spans.ids[place].tolist() == expected.ids
        assert list(zip(spans.begins[place].tolist(), spans.ends[place].tolist(), strict=True)) == expected.offsets
        assert spans.words[place].tolist() == expected.word_ids
