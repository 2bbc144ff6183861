"""Tokens drawn by lot with a seed: a pure function of the seed and the text, on every way from text to ids."""

from __future__ import annotations

import copy
import pickle
import random
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
import tokenizers as oracle
from hypothesis import given, settings
from hypothesis import strategies as st
from sentencepiece_models import LINES, model_bytes
from tokenizer_samples import KOREAN_LINES, byte_level_json, texts

from textpipe import Tokenizer, normalizers, pre_tokenizers
from textpipe.core._native import text_seed, word_seed
from textpipe.errors import InputError, WrongTypeError
from textpipe.formats import sentencepiece
from textpipe.models import BPE, Unigram
from textpipe.tokenizer.special_text import Special, Text

MORE = [
    "ㅋㅋㅋ 재밌다ㅎㅎ (^_^) ㅠㅠ T_T <3",
    normalizers.NFD().normalize_str("한글을 풀어 쓴 글이다. 각각"),
    bytes.fromhex("b6d920b9e520c6ebbdc3b8c7").decode("cp949"),
    "어제<sep>오늘 뷁 똠방각하 漢字 слово 😀",
    "",
    "가",
]
SAMPLES = [*KOREAN_LINES, *MORE, *LINES]
LETTERS = sorted(set("".join(KOREAN_LINES)))


def byte_level():
    made = Tokenizer.from_str(byte_level_json())
    made.add_special_tokens(["<sep>"])
    made.model.dropout = 0.3
    return made


def by_characters():
    """BPE of characters with unknown ones, after a normalizer that changes the text."""
    pairs = sorted({pair for line in KOREAN_LINES for word in line.split() for pair in pairwise(word)})
    pieces = ["[UNK]", *LETTERS, *dict.fromkeys(a + b for a, b in pairs)]
    model = BPE({piece: n for n, piece in enumerate(pieces)}, pairs, dropout=0.4, unk_token="[UNK]")
    made = Tokenizer(model)
    made.normalizer = normalizers.NFC()
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.add_tokens(["<sep>"])
    return made


def unigram(nbest_size=None):
    words = sorted({word[i : i + n] for line in KOREAN_LINES for word in line.split() for n in (2, 3) for i in (0, 1)})
    pieces = [("<unk>", 0.0), *((letter, -5.0) for letter in LETTERS), *((w, -4.0) for w in words if len(w) > 1)]
    made = Tokenizer(Unigram(pieces, 0, alpha=0.2, nbest_size=nbest_size))
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    return made


def of_sentences():
    made = Tokenizer.from_parts(sentencepiece.read(model_bytes("unigram"), path="x.model"))
    made.model.alpha = 0.2
    return made


def by_stages():
    """No native step: every word goes through Python."""

    class Halves:
        def pre_tokenize(self, pretok):
            pretok.split(lambda _, text: [text[: len(text.normalized) // 2], text[len(text.normalized) // 2 :]])

    made = by_characters()
    made.pre_tokenizer = pre_tokenizers.PreTokenizer.custom(Halves())
    assert made.pipeline.native is None
    return made


KINDS = {
    "byte-level BPE": byte_level,
    "BPE of characters": by_characters,
    "Unigram": unigram,
    "Unigram of the likeliest": lambda: unigram(nbest_size=5),
    "sentencepiece": of_sentences,
    "Python's stages": by_stages,
}


@pytest.fixture(params=list(KINDS))
def tokenizer(request):
    made = KINDS[request.param]()
    made.model.seed = 7
    return made


def columns(encoding):
    return encoding.ids, encoding.tokens, encoding.offsets, encoding.word_ids


def rows_of(flat):
    ids, offsets = flat
    return [ids[begin:end].tolist() for begin, end in pairwise(offsets.tolist())]


def test_every_way_from_text_to_ids_draws_the_same(tokenizer):
    one_by_one = [tokenizer.encode(text) for text in SAMPLES]
    ids = [encoding.ids for encoding in one_by_one]
    assert [columns(e) for e in tokenizer.encode_batch(SAMPLES)] == [columns(e) for e in one_by_one]
    assert [e.ids for e in tokenizer.encode_batch_fast(SAMPLES)] == ids
    assert rows_of(tokenizer.encode_to_numpy(SAMPLES)) == ids
    spans = tokenizer.encode_spans_to_numpy(SAMPLES)
    assert rows_of((spans.ids, spans.offsets)) == ids
    assert list(zip(spans.begins.tolist(), spans.ends.tolist(), strict=True)) == [
        place for encoding in one_by_one for place in encoding.offsets
    ]
    matrix, lengths = tokenizer.encode_to_matrix(SAMPLES, pad_id=0)
    assert [row[:length].tolist() for row, length in zip(matrix, lengths.tolist(), strict=True)] == ids
    pipeline = tokenizer.pipeline
    staged = pipeline.encode_staged(SAMPLES, skip_special=False, lots=pipeline.model.lots())
    assert [columns(e) for e in staged] == [columns(e) for e in one_by_one]
    assert [tokenizer.encode(text, text).ids for text in SAMPLES] == [row + row for row in ids]


def test_no_order_and_no_batch_has_a_part_in_it(tokenizer):
    ids = {text: tokenizer.encode(text).ids for text in SAMPLES}
    shuffled = SAMPLES * 2
    random.Random(3).shuffle(shuffled)
    for begin in range(0, len(shuffled), 7):
        part = shuffled[begin : begin + 7]
        assert rows_of(tokenizer.encode_to_numpy(part)) == [ids[text] for text in part]


@pytest.mark.parametrize("kind", ["byte-level BPE", "Unigram", "sentencepiece"])
def test_no_number_of_threads_has_a_part_in_it(kind):
    made = KINDS[kind]()
    made.model.seed = 7
    lines = [f"{number} {line}" for number in range(700) for line in SAMPLES]
    assert sum(map(len, lines)) > 1 << 18  # below that none are started
    ids, offsets = made.encode_to_numpy(lines, threads=1)
    for threads in (2, 4):
        again = made.encode_to_numpy(lines, threads=threads)
        assert np.array_equal(ids, again[0])
        assert np.array_equal(offsets, again[1])
    assert np.array_equal(ids, made.encode_spans_to_numpy(lines, threads=4).ids)
    for number in range(0, len(lines), 997):
        assert made.encode(lines[number]).ids == ids[offsets[number] : offsets[number + 1]].tolist()


@pytest.mark.parametrize("kind", ["byte-level BPE", "Unigram", "sentencepiece"])
def test_a_batch_on_several_threads_has_the_encodings_of_its_texts(kind):
    made = KINDS[kind]()
    made.add_special_tokens(["<s>"])
    made.model.seed = 7
    texts = [f"{number} {line}<s>" * (number % 3) for number in range(500) for line in SAMPLES]
    assert sum(map(len, texts)) > 1 << 18  # below that no thread is started
    encodings = made.encode_batch(texts, threads=3)
    for number in range(0, len(texts), 101):
        assert encodings[number] == made.encode(texts[number])


def test_another_seed_draws_another_and_the_first_one_the_first_again(tokenizer):
    drawn = []
    for seed in (7, 8, 0, (1 << 64) - 1, 7):
        tokenizer.model.seed = seed
        drawn.append(rows_of(tokenizer.encode_to_numpy(SAMPLES)))
    assert drawn[0] == drawn[4]
    assert len({str(each) for each in drawn}) == 4


def test_without_a_seed_each_text_and_each_call_is_drawn_by_itself(tokenizer):
    tokenizer.model.seed = None
    text = " ".join([*KOREAN_LINES, *LINES] * 4)
    for draw in (
        lambda: rows_of(tokenizer.encode_to_numpy([text] * 4)),
        lambda: [encoding.ids for encoding in tokenizer.encode_batch([text] * 4)],
        lambda: [encoding.ids for encoding in tokenizer.encode_batch_fast([text] * 4)],
    ):
        assert len({tuple(row) for row in [*draw(), *draw()]}) == 8


def test_equal_words_of_a_text_are_drawn_apart(tokenizer):
    word = KOREAN_LINES[1].split()[1]
    text = " ".join([word] * 40)
    encoding = tokenizer.encode(text)
    found = {}
    for number, place in zip(encoding.ids, encoding.offsets, strict=True):
        found.setdefault(place[0] // (len(word) + 1), []).append(number)
    assert len({tuple(ids) for ids in found.values()}) > 1


@pytest.mark.parametrize("seed", [None, 7])
def test_what_is_asked_of_an_encoding_later_is_of_the_draw_its_ids_are_of(tokenizer, seed):
    tokenizer.model.seed = seed
    encodings = [tokenizer.encode(text) for text in SAMPLES] + tokenizer.encode_batch(SAMPLES)
    encodings += [tokenizer.encode(text.split(), is_pretokenized=True) for text in SAMPLES]
    tokenizer.model.seed = 8  # as the next epoch does
    surface = tokenizer.model.surface_id
    for encoding in encodings:
        names = [tokenizer.id_to_token(number) for number in encoding.ids]
        if surface is None:
            assert encoding.tokens == names
        assert len(names) == len(encoding.tokens) == len(encoding.offsets) == len(encoding.word_ids)
        for number, token, name in zip(encoding.ids, encoding.tokens, names, strict=True):
            assert number == surface or token == name


def test_words_cut_beforehand_are_drawn_by_all_of_them(tokenizer):
    distinct = {*KOREAN_LINES[1].split(), *(word for line in LINES for word in line.split())}
    words = sorted(distinct) * 20
    encoding = tokenizer.encode(words, is_pretokenized=True)
    assert columns(tokenizer.encode_batch([["가"], words], is_pretokenized=True)[1]) == columns(encoding)
    assert tokenizer.encode_batch_fast([words], is_pretokenized=True)[0].ids == encoding.ids
    pipeline = tokenizer.pipeline
    lots = pipeline.model.lots(words)
    staged = pipeline.encode_words_staged(words, skip_special=False, lots=lots)
    assert columns(staged) == columns(encoding)
    by_word = {}
    for number, of_word in zip(encoding.ids, encoding.word_ids, strict=True):
        by_word.setdefault(of_word, []).append(number)
    assert len({tuple(ids) for ids in by_word.values()}) > len(distinct)
    other = tokenizer.encode([*words[:-1], "가"], is_pretokenized=True)
    assert other.ids[:20] != encoding.ids[:20]


def test_segments_are_drawn_by_their_joined_text():
    made = byte_level()
    made.model.seed = 7
    segments = [Text(KOREAN_LINES[0]), Special("<sep>"), Text(KOREAN_LINES[1])]
    joined = made.encode(KOREAN_LINES[0] + "<sep>" + KOREAN_LINES[1])
    assert columns(made.encode_segments(segments)) == columns(joined)


def test_a_word_alone_is_a_text_of_one_word():
    made = of_sentences()
    made.model.seed = 7
    for line in LINES:
        normalized = made.normalizer.normalize_str(line)
        assert made.model.tokenize(normalized) == made.model.tokenize(normalized)
    alone = Tokenizer(by_characters().model)
    alone.model.seed = 7
    for line in KOREAN_LINES:
        assert [token.id for token in alone.model.tokenize(line)] == alone.encode(line).ids


@settings(max_examples=60)
@given(batch=st.lists(texts, max_size=4), seed=st.integers(0, (1 << 64) - 1), kind=st.sampled_from(list(KINDS)))
def test_stages_and_native_programs_draw_alike_of_any_text(batch, seed, kind):
    made = KINDS[kind]()
    made.model.seed = seed
    pipeline = made.pipeline
    staged = pipeline.encode_staged(batch, skip_special=False, lots=pipeline.model.lots())
    assert [columns(e) for e in made.encode_batch(batch)] == [columns(e) for e in staged]
    assert rows_of(made.encode_to_numpy(batch)) == [e.ids for e in staged]


def test_a_copy_draws_the_same(tokenizer):
    if tokenizer.pipeline.native is None:
        tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()  # a stage of one's own has no file
    ids = [tokenizer.encode(text).ids for text in SAMPLES]
    for made in (pickle.loads(pickle.dumps(tokenizer)), copy.copy(tokenizer), copy.deepcopy(tokenizer)):  # noqa: S301  (our own bytes)
        assert [made.encode(text).ids for text in SAMPLES] == ids
    for model in (pickle.loads(pickle.dumps(tokenizer.model)), copy.deepcopy(tokenizer.model)):  # noqa: S301
        assert (model.seed, model.tokenize("국수를 삶아")) == (7, tokenizer.model.tokenize("국수를 삶아"))


def test_no_file_holds_the_seed():
    made = byte_level()
    before = made.to_str()
    made.model.seed = 7
    assert made.to_str() == before
    assert Tokenizer.from_str(before).model.seed is None
    assert oracle.Tokenizer.from_str(before).model.dropout == pytest.approx(0.3)


def test_a_seed_without_chance_changes_nothing():
    made = Tokenizer.from_str(byte_level_json())
    ids = [made.encode(text).ids for text in SAMPLES]
    made.model.seed = 7
    assert [made.encode(text).ids for text in SAMPLES] == ids


def test_a_change_of_the_seed_alone_keeps_the_native_tables():
    for drawing in (unigram().model, of_sentences().model):
        tables = drawing.native(byte_level=False)
        drawing.seed = 8
        assert drawing.native(byte_level=False) is tables
        drawing.alpha = 0.7
        assert drawing.native(byte_level=False) is not tables


@pytest.mark.parametrize("seed", [-1, 1 << 64])
def test_a_seed_out_of_range_is_refused_and_the_old_one_kept(tokenizer, seed):
    with pytest.raises(InputError, match=f"seed is {seed}"):
        tokenizer.model.seed = seed
    assert tokenizer.model.seed == 7
    with pytest.raises(InputError, match=f"seed is {seed}"):
        BPE({"가": 0}, seed=seed)
    with pytest.raises(InputError, match=f"seed is {seed}"):
        Unigram([("가", 0.0)], seed=seed)


@pytest.mark.parametrize("seed", ["7", 7.5, True])
def test_a_seed_that_is_no_whole_number_is_refused(tokenizer, seed):
    with pytest.raises(WrongTypeError, match="seed of"):
        tokenizer.model.seed = seed
    tokenizer.model.seed = np.uint64(9)
    assert tokenizer.model.seed == 9


def test_pairs_of_words_have_the_chances_of_two_independent_draws():
    model = BPE({"가": 0, "나": 1, "다": 2, "가나": 3, "나다": 4}, [("가", "나"), ("나", "다")], dropout=0.4)
    made = Tokenizer(model)
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    # 가나 is merged with 0.6; else 나다 with 0.6, of what is left of the queue.
    single = {(3, 2): 0.6, (0, 4): 0.24, (0, 1, 2): 0.16}
    runs = 12_000
    by_seed, by_text = Counter(), Counter()
    for seed in range(runs):
        model.seed = seed
        by_seed[tuple(made.encode_to_numpy(["가나다 가나다"])[0].tolist())] += 1
    model.seed = 7
    ids, offsets = made.encode_to_numpy(["가나다" + " " * n + " 가나다" for n in range(runs)])
    for begin, end in pairwise(offsets.tolist()):
        by_text[tuple(ids[begin:end].tolist())] += 1
    for seen in (by_seed, by_text):
        for one, p in single.items():
            for other, q in single.items():
                chance = p * q
                allowed = 4.5 * (chance * (1 - chance) / runs) ** 0.5
                assert abs(seen[one + other] / runs - chance) <= allowed, (one, other)


MASK = (1 << 64) - 1


def slow_finalized(z):
    z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ z >> 27) * 0x94D049BB133111EB) & MASK
    return z ^ z >> 31


def slow_text_seed(seed, by_number, text, number):
    data = text.encode()
    parts = [len(data), *([number] if by_number else [])]
    parts += [int.from_bytes(data[at : at + 8], "little") for at in range(0, len(data), 8)]
    state = slow_finalized((seed + 0x9E3779B97F4A7C15) & MASK)
    for part in parts:
        state = slow_finalized(((state ^ part) + 0x9E3779B97F4A7C15) & MASK)
    return state


@given(
    seed=st.integers(0, MASK), by_number=st.booleans(), text=texts, number=st.integers(0, MASK), word=st.integers(0, 99)
)
def test_the_seed_of_a_word_is_that_of_its_slow_twin(seed, by_number, text, number, word):
    of_text = text_seed(seed, by_number, text, number)
    assert of_text == slow_text_seed(seed, by_number, text, number)
    assert word_seed(of_text, word) == slow_finalized((of_text + 0x9E3779B97F4A7C15 * (word + 1)) & MASK)


def test_a_long_text_is_drawn_as_a_whole_on_several_threads():
    made = byte_level()
    made.model.seed = 7
    text = "\n".join(f"{number} {KOREAN_LINES[0]}다.\n{KOREAN_LINES[2]}" for number in range(3000))
    assert len(text) > 1 << 17
    lots = made.pipeline.model.lots()
    staged = made.pipeline.encode_staged([text], skip_special=False, lots=lots)[0]
    for threads in (1, 4):
        assert made.encode_to_numpy([text], threads=threads)[0].tolist() == staged.ids
        assert made.encode_spans_to_numpy([text], threads=threads).ids.tolist() == staged.ids
