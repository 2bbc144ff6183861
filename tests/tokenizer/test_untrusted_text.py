"""Text nobody vouches for, where special tokens are pieces of the model: whatever the text, none of them comes out."""

from __future__ import annotations

import functools
import io
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
import sentencepiece
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizer_samples import KOREAN_LINES, byte_level_json, untrusted_ids

from textpipe import AddedToken, Special, Text, Tokenizer, models, normalizers, pre_tokenizers
from textpipe.core.byte_alphabet import CHARACTER_OF, to_characters
from textpipe.errors import InputError
from textpipe.formats import sentencepiece_file
from textpipe.limits import DEFAULT_LIMITS

MARKS = ["<pad>", "</s>", "[SEP]", "<끝>", "fin"]
UNKNOWN = "<unk>"
LETTERS = "".join(dict.fromkeys("".join(MARKS) + UNKNOWN + "안녕하세요가나다 ab한어ㄱㅏ▁"))
WORDS = ["안녕", "하세요", "가나", "나다", "한어", "ab"]
PARTS = [*WORDS, *LETTERS, " ", "\u1112\u1161\u11ab", "ㅋㅋ", "😀", "</", "pad>"]


def chained(texts):
    """Merges that spell texts from the left."""
    return list(dict.fromkeys((text[:at], text[at]) for text in texts for at in range(1, len(text))))


def vocabulary(*pieces):
    return {piece: number for number, piece in enumerate(dict.fromkeys([*MARKS, UNKNOWN, *pieces]))}


def merged(texts, letters, **options):
    merges = chained(texts)
    return models.BPE(vocabulary(*letters, *map("".join, merges)), merges, **options)


def byte_level(**options):
    spelled = [to_characters(text.encode()) for text in [*MARKS, *WORDS]]
    return merged(spelled, CHARACTER_OF, **options)


def scored(kinds):
    rows = [(mark, 0.0, kinds) for mark in MARKS] + [(UNKNOWN, 0.0, "unknown")]
    merges = list(dict.fromkeys(map("".join, chained([*MARKS, *WORDS]))))
    parts = [(part, -1.0 - n / 8) for n, part in enumerate(merges) if part not in MARKS]
    return [*rows, *parts, *((letter, -30.0) for letter in LETTERS)]


def ranks():
    parts = [text.encode()[:at] for text in [*MARKS, *WORDS] for at in range(2, len(text.encode()) + 1)]
    single = {bytes([byte]): byte for byte in range(256)}
    return models.RankBPE(single | {part: 256 + n for n, part in enumerate(dict.fromkeys(parts))})


SPLIT = pre_tokenizers.WhitespaceSplit()
BYTES = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
METASPACE = pre_tokenizers.Metaspace(prepend_scheme="never")
LAYOUTS = {
    "word level": (lambda: models.WordLevel(vocabulary(*WORDS), UNKNOWN), SPLIT),
    "word piece": (
        lambda: models.WordPiece(vocabulary(*LETTERS, *(f"##{c}" for c in LETTERS), *WORDS), UNKNOWN), SPLIT,
    ),
    "unigram": (lambda: models.Unigram([row[:2] for row in scored("normal")], len(MARKS)), None),
    "unigram of words": (lambda: models.Unigram([row[:2] for row in scored("normal")], len(MARKS)), METASPACE),
    "bpe of whole words": (
        lambda: models.BPE(vocabulary(*LETTERS, *WORDS), [], unk_token=UNKNOWN, ignore_merges=True), SPLIT,
    ),
    "bpe of merges": (lambda: merged([*MARKS, *WORDS], LETTERS, unk_token=UNKNOWN), None),
    "bytes of merges": (byte_level, BYTES),
    "bytes of whole words": (lambda: byte_level(ignore_merges=True), BYTES),
    "ranks": (ranks, BYTES),
    "sentencepiece unigram": (lambda: models.SentencePiece(scored("control")), None),
    "sentencepiece of normal pieces": (lambda: models.SentencePiece(scored("normal")), None),
    "sentencepiece bpe": (lambda: models.SentencePiece(scored("normal"), "bpe"), None),
}  # fmt: skip


@functools.cache
def charsmap():
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(KOREAN_LINES), model_writer=written, vocab_size=100, hard_vocab_limit=False,
        minloglevel=2, num_threads=1, normalization_rule_name="nmt_nfkc_cf",
    )  # fmt: skip
    return sentencepiece_file.read(written.getvalue(), path="x", limits=DEFAULT_LIMITS).normalizer.charsmap


NORMALIZERS = {
    "none": lambda: None,
    "nfkc": normalizers.NFKC,
    "lower case": normalizers.Lowercase,
    "removed joints": lambda: normalizers.Replace("\u200b", ""),
    "charsmap": lambda: normalizers.Precompiled(charsmap()),
}


@functools.cache
def tokenizer_of(layout, normalizer="none"):
    model, cut = LAYOUTS[layout]
    tokenizer = Tokenizer(model())
    tokenizer.pre_tokenizer, tokenizer.normalizer = cut, NORMALIZERS[normalizer]()
    tokenizer.add_special_tokens([*MARKS[:-1], AddedToken(MARKS[-1], special=True, normalized=True), UNKNOWN])
    return tokenizer


def marks_of(tokenizer):
    """The ids of the special tokens but the unknown one."""
    return {
        n for n, token in tokenizer.get_added_tokens_decoder().items() if token.special and token.content != UNKNOWN
    }


def smuggled(mark):
    """Texts that are this mark, or become it on the way."""
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in mark)
    forms = [mark, wide, mark.upper(), mark.swapcase(), unicodedata.normalize("NFD", mark), mark.replace("fi", "ﬁ")]
    joined = [mark[:at] + joint + mark[at:] for at in (1, 2) for joint in ("\u200b", "\u00ad", "\u0301", "\x00", " ")]
    return [*forms, *joined, f" {wide} 안녕", f"한{mark}어", mark + mark, mark + wide, f"{mark[:1]}{mark}", f"▁{mark}"]


@pytest.mark.parametrize("normalizer", NORMALIZERS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_no_special_token_comes_out_of_untrusted_text_by_any_door(layout, normalizer):
    tokenizer = tokenizer_of(layout, normalizer)
    marks = marks_of(tokenizer)
    assert len(marks) == len(MARKS)
    for mark in MARKS:
        for text in smuggled(mark):
            assert not marks & set(untrusted_ids(tokenizer, text)), text


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_asked_of_no_policy_is_what_tokenizers_does(layout):
    tokenizer = tokenizer_of(layout)
    assert set(tokenizer.encode("".join(MARKS[:-1])).ids) >= {tokenizer.token_to_id(mark) for mark in MARKS[:-1]}
    tokenizer.encode_special_tokens = True
    try:
        found = {number for mark in MARKS for number in tokenizer.encode(mark).ids}
    finally:
        tokenizer.encode_special_tokens = False
    assert bool(found & marks_of(tokenizer)) is (layout != "sentencepiece unigram")  # it has control pieces


@pytest.mark.parametrize("normalizer", ["nfkc", "charsmap"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_refused_token_is_refused_and_one_that_a_normalizer_makes_is_text(layout, normalizer):
    tokenizer = tokenizer_of(layout, normalizer)
    with pytest.raises(InputError, match="holds the special token"):
        tokenizer.encode("안녕</s>", special="raise")
    text = "안녕＜/ｓ＞"
    assert tokenizer.encode(text, special="raise").ids == untrusted_ids(tokenizer, text)
    assert tokenizer.encode_to_numpy([text], special="raise")[0].tolist() == untrusted_ids(tokenizer, text)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_segments_make_the_tokens_they_name_and_no_others(layout):
    tokenizer = tokenizer_of(layout)
    marks = marks_of(tokenizer)
    for mark in MARKS:
        for cut in range(1, len(mark)):
            parts = [Special("</s>"), Text(mark[:cut]), Text(mark[cut:]), Text(mark), Special("<pad>")]
            ids = tokenizer.encode_segments(parts).ids
            assert [number for number in ids if number in marks] == [
                tokenizer.token_to_id(m) for m in ("</s>", "<pad>")
            ]
            assert (ids[0], ids[-1]) == (tokenizer.token_to_id("</s>"), tokenizer.token_to_id("<pad>"))


@pytest.mark.parametrize("layout", LAYOUTS)
@settings(max_examples=60, deadline=None)
@given(
    parts=st.lists(
        st.sampled_from([*WORDS, *LETTERS, " ", "\u1112\u1161\u11ab", "ㅋㅋ", "😀", "</", "pad>"]), max_size=12
    )
)
def test_text_that_makes_no_special_token_is_spelled_as_ever(layout, parts):
    tokenizer = tokenizer_of(layout)
    text = "".join(parts)
    allowed = tokenizer.encode(text, special="allow")
    untrusted = tokenizer.encode(text, special="text")
    marks = marks_of(tokenizer) | {tokenizer.token_to_id(UNKNOWN)}
    if not marks & set(allowed.ids):
        assert (untrusted.ids, untrusted.tokens, untrusted.offsets, untrusted.word_ids) == (
            allowed.ids, allowed.tokens, allowed.offsets, allowed.word_ids,
        )  # fmt: skip
    assert not (marks_of(tokenizer)) & set(untrusted.ids)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_stage_by_stage_it_is_the_same(layout):
    class Whole(pre_tokenizers.PreTokenizer):
        def apply(self, text):
            return [text]

    native, staged = tokenizer_of(layout), tokenizer_of.__wrapped__(layout)
    cut = [] if staged.pre_tokenizer is None else [staged.pre_tokenizer]
    staged.pre_tokenizer = pre_tokenizers.Sequence([Whole(), *cut])
    for text in (text for mark in MARKS for text in smuggled(mark)):
        found, wanted = (tokenizer.encode(text, special="text") for tokenizer in (native, staged))
        assert (found.ids, found.tokens, found.offsets) == (wanted.ids, wanted.tokens, wanted.offsets), text


@pytest.mark.parametrize("layout", LAYOUTS)
def test_threads_that_come_at_once_find_the_same(layout):
    tokenizer = tokenizer_of.__wrapped__(layout)  # nothing is made yet
    batch = [text for mark in MARKS for text in smuggled(mark)] * 300
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(tokenizer.encode_to_numpy, batch, special="text", threads=1 + n % 3) for n in range(8)]
        found = [[array.tolist() for array in call.result()] for call in calls]
    assert all(one == other for one, other in pairwise(found))
    assert not marks_of(tokenizer) & set(found[0][0])


def test_where_no_word_can_become_a_special_token_nothing_is_made_twice():
    tokenizer = Tokenizer.from_str(byte_level_json())
    tokenizer.add_special_tokens(MARKS)
    assert tokenizer.pipeline.untrusted is tokenizer.pipeline
    controls = tokenizer_of("sentencepiece unigram")
    assert controls.pipeline.untrusted is controls.pipeline
    assert tokenizer_of("unigram").pipeline.untrusted is tokenizer_of("unigram").pipeline.untrusted


def test_a_change_of_the_tokenizer_is_seen_by_the_next_call():
    tokenizer = tokenizer_of.__wrapped__("bpe of merges")
    number = tokenizer.token_to_id("안녕")
    assert number in untrusted_ids(tokenizer, "안녕")
    tokenizer.add_special_tokens(["안녕"])
    assert number not in untrusted_ids(tokenizer, "안녕")
    whole = tokenizer.token_to_id("하세요")
    tokenizer.add_special_tokens(["하세요"])
    tokenizer.model.ignore_merges = True
    assert not {number, whole} & set(untrusted_ids(tokenizer, "안녕하세요"))
    tokenizer.model = models.WordLevel({UNKNOWN: 0, "안녕": 1}, UNKNOWN)
    assert tokenizer.encode("안녕", special="text").ids == [0]
