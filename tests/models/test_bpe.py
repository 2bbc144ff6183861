"""The BPE model against a slow twin and against `tokenizers`."""

from __future__ import annotations

import copy
import json
import pickle
import random
from itertools import pairwise

import pytest
import tokenizers as oracle
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizer_samples import byte_level_json

import textpipe
from textpipe import Tokenizer
from textpipe.core.byte_alphabet import to_characters
from textpipe.errors import InputError
from textpipe.models import BPE, Token


def slow_bpe(word: str, vocab: dict[str, int], merges: list[tuple[str, str]]) -> list[str]:
    """Merge the lowest rank, leftmost first, until nothing merges: the obvious way."""
    ranks = {pair: rank for rank, pair in enumerate(merges)}
    pieces = [character for character in word if character in vocab]
    while True:
        pairs = [(ranks[pair], at) for at, pair in enumerate(pairwise(pieces)) if pair in ranks]
        if not pairs:
            return pieces
        _, at = min(pairs)
        pieces[at : at + 2] = [pieces[at] + pieces[at + 1]]


@st.composite
def models_and_words(draw):
    """A random merge list over a tiny alphabet of byte characters, so that ties and overlaps abound."""
    alphabet = [to_characters(bytes([byte])) for byte in (0xEA, 0xB0, 0x80, 0x81, 0x20, 0x61)]
    vocab = {to_characters(bytes([byte])): byte for byte in range(256)}
    merges: list[tuple[str, str]] = []
    pieces = list(alphabet)
    for _ in range(draw(st.integers(0, 25))):
        left, right = draw(st.sampled_from(pieces)), draw(st.sampled_from(pieces))
        if len(left + right) <= 9:
            vocab.setdefault(left + right, len(vocab))
            pieces.append(left + right)
            merges.append((left, right))
    merges = draw(st.permutations(merges))
    unique = list(dict.fromkeys(reversed(merges)))[::-1]  # of a pair listed twice the last counts
    word = draw(st.text(alphabet=st.sampled_from("가각갂간ꀀ a"), min_size=1, max_size=30))
    return vocab, merges, unique, word


@settings(max_examples=500)
@given(models_and_words())
def test_bytes_merge_as_in_the_slow_twin(sample):
    vocab, merges, unique, word = sample
    native = BPE(vocab, merges).native(byte_level=True)
    pieces = {number: piece for piece, number in vocab.items()}
    spelled = to_characters(word.encode())
    assert native.complete
    assert [pieces[number] for number, _ in native.tokenize(word)] == slow_bpe(spelled, vocab, unique)


@settings(max_examples=200)
@given(models_and_words())
def test_characters_merge_as_in_tokenizers(sample):
    vocab, merges, _, word = sample
    ours, theirs = BPE(vocab, merges), oracle.models.BPE(vocab, merges)
    spelled = to_characters(word.encode())
    assert [(t.id, t.value, t.offsets) for t in ours.tokenize(spelled)] == [
        (t.id, t.value, t.offsets) for t in theirs.tokenize(spelled)
    ]


def trained() -> tuple[dict[str, int], list[tuple[str, str]]]:
    model = json.loads(byte_level_json())["model"]
    return model["vocab"], [tuple(pair) for pair in model["merges"]]


def test_a_word_of_a_million_letters_is_not_quadratic():
    vocab, merges = trained()
    native = BPE(vocab, merges).native(byte_level=True)
    for word in ("ㅋ" * 400_000, "한글" * 200_000, "ab" * 500_000):
        assert sum(size for _, size in native.tokenize(word)) == len(word.encode())


def test_long_and_short_words_merge_alike():
    vocab, merges = trained()
    native = BPE(vocab, merges).native(byte_level=True)
    generator = random.Random(7)
    unique = [tuple(pair) for pair in merges]
    for size in range(1, 60):
        word = "".join(generator.choice("한글은 국수를 ㅋ안녕abc") for _ in range(size))
        found = [number for number, _ in native.tokenize(word)]
        assert found == [vocab[piece] for piece in slow_bpe(to_characters(word.encode()), vocab, unique)]


@pytest.mark.parametrize("fuse_unk", [False, True])
@pytest.mark.parametrize("byte_fallback", [False, True])
def test_unknown_characters_become_what_they_become_in_tokenizers(fuse_unk, byte_fallback):
    vocab = {"<unk>": 0, "가": 1, "나": 2, "가나": 3, **{f"<0x{byte:02X}>": 10 + byte for byte in range(0xC0)}}
    options = {"unk_token": "<unk>", "fuse_unk": fuse_unk, "byte_fallback": byte_fallback}
    ours, theirs = BPE(vocab, [("가", "나")], **options), oracle.models.BPE(vocab, [("가", "나")], **options)
    for word in ("가나다", "xy가", "가x나", "다라마", "é가나é"):
        assert [(t.id, t.offsets) for t in ours.tokenize(word)] == [(t.id, t.offsets) for t in theirs.tokenize(word)]


@st.composite
def character_models(draw):
    """Merges of characters, of which some come to the names of bytes, and what is to become of other characters."""
    vocab = {character: number for number, character in enumerate("가나a<0xEB>▁")}
    vocab |= {f"<0x{byte:02X}>": 10 + byte for byte in range(draw(st.sampled_from([0x80, 0x100])))}
    merges: list[tuple[str, str]] = []
    pieces = [*"가나a▁"]
    for _ in range(draw(st.integers(0, 12))):
        left, right = draw(st.sampled_from(pieces)), draw(st.sampled_from(pieces))
        vocab.setdefault(left + right, len(vocab) + 300)
        pieces.append(left + right)
        merges.append((left, right))
    if draw(st.booleans()):
        for size in range(2, 7):
            vocab.setdefault("<0xEB>"[:size], len(vocab) + 300)
            merges.append(("<0xEB>"[: size - 1], "<0xEB>"[size - 1]))
    options = {"fuse_unk": draw(st.booleans()), "byte_fallback": draw(st.booleans())}
    options["ignore_merges"] = draw(st.booleans())
    if draw(st.booleans()):
        options["unk_token"] = draw(st.sampled_from([piece for piece in ("a", "가", "<0xEB>") if piece in vocab]))
    return vocab, list(dict.fromkeys(merges)), options


@settings(max_examples=200)
@given(model=character_models(), text=st.text("가나나다라a <0xEB>é😀", max_size=30))
def test_remembered_words_of_characters_have_the_places_of_tokenizers(model, text):
    vocab, merges, options = model
    theirs = oracle.Tokenizer(oracle.models.BPE(vocab, merges, **options))
    theirs.pre_tokenizer = oracle.pre_tokenizers.Metaspace()
    ours, expected = Tokenizer.from_str(theirs.to_str()), theirs.encode(text)
    for _ in range(2):
        spans = ours.encode_spans_to_numpy([text, text])
        for begin, end in pairwise(spans.offsets.tolist()):
            assert spans.ids[begin:end].tolist() == expected.ids
            assert list(zip(spans.begins[begin:end], spans.ends[begin:end], strict=True)) == expected.offsets
            assert spans.words[begin:end].tolist() == expected.word_ids


def test_a_piece_is_taken_whole_where_merges_are_ignored():
    vocab = {"가": 0, "나": 1, "다": 2, "가나다": 3}
    assert BPE(vocab, []).tokenize("가나다")[0] == Token(0, "가", (0, 3))
    assert BPE(vocab, [], ignore_merges=True).tokenize("가나다") == [Token(3, "가나다", (0, 9))]


def test_dropout_of_one_merges_nothing_and_dropout_between_varies():
    vocab, merges = trained()
    assert len(BPE(vocab, merges, dropout=1.0).tokenize(to_characters("안녕".encode()))) == 6
    varied = BPE(vocab, merges, dropout=0.5)
    word = to_characters("안녕하세요".encode())
    results = {tuple(token.value for token in varied.tokenize(word)) for _ in range(50)}
    assert len(results) > 1
    assert {"".join(result) for result in results} == {word}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (({"a": 0}, [("a", "b")]), 'needs the piece "b"'),
        (({"a": 0, "b": 1}, [("a", "b")]), 'needs the piece "ab"'),
        (({"a": -1},), "ids run from -1"),
        (({"a": 1 << 24},), "ids run from"),
    ],
)
def test_a_broken_vocabulary_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        BPE(*arguments)


def test_an_unknown_token_outside_the_vocabulary_is_missed_where_it_is_needed():
    tokenizers = []
    for package in (textpipe, oracle):
        model = package.models.BPE({"가": 0, "나": 1, "가나": 2}, [("가", "나")], unk_token="<unk>")
        assert [token.id for token in model.tokenize("가나가")] == [2, 0]
        tokenizer = package.Tokenizer.from_str(package.Tokenizer(model).to_str())
        assert tokenizer.encode("나가나").ids == [1, 2]
        with pytest.raises(Exception, match="<unk>"):
            tokenizer.encode("가다")
        tokenizers.append(tokenizer)
    for tokenizer, package in zip(tokenizers, (textpipe, oracle), strict=True):
        trainer = package.trainers.BpeTrainer(vocab_size=5, show_progress=False)
        tokenizer.train_from_iterator(["다라다라"], trainer)
        assert tokenizer.encode("다라").ids == [2]
    with pytest.raises(InputError, match="unk_token"):
        tokenizers[0].model.tokenize("마")
    tokenizers[0].model.unk_token = None
    assert tokenizers[0].encode("마다").ids == [0]


def test_a_dropout_above_one_is_refused():
    with pytest.raises(InputError, match=r"dropout is 1\.5"):
        BPE(dropout=1.5)


def test_the_model_is_a_value():
    vocab, merges = trained()
    model = BPE(vocab, merges, fuse_unk=True)
    assert pickle.loads(pickle.dumps(model)) == model == copy.copy(model)  # noqa: S301  (our own bytes)
    assert model != BPE(vocab, merges)
    assert repr(model) == str(oracle.models.BPE(vocab, merges, fuse_unk=True))


def test_vocab_json_and_merges_txt_are_read_and_written(tmp_path):
    vocab, merges = trained()
    model = BPE(vocab, merges)
    paths = model.save(str(tmp_path))
    assert BPE.from_file(*paths) == model
    assert oracle.models.BPE.from_file(*paths).token_to_id("ìķĪ") == model.token_to_id("ìķĪ")


def test_an_unknown_token_that_merges_tells_no_places():
    vocab = {"가": 0, "a": 1, "▁": 2, "가a": 3, "가가": 4}
    theirs = oracle.Tokenizer(oracle.models.BPE(vocab, [("가", "a"), ("가", "가")], unk_token="가"))
    theirs.pre_tokenizer = oracle.pre_tokenizers.Metaspace()
    text = "éa가😀"  # 13 bytes with the mark before it: as many as its tokens' pieces have
    spans = Tokenizer.from_str(theirs.to_str()).encode_spans_to_numpy([text])
    assert list(zip(spans.begins, spans.ends, strict=True)) == theirs.encode(text).offsets == [(0, 1), (0, 2), (2, 4)]
