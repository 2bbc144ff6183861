"""Long texts are taken in parts, each by itself: what comes out is what the whole text gives."""

from __future__ import annotations

import functools
import random
from itertools import pairwise

import pytest
import tokenizers as oracle
from hypothesis import given
from hypothesis import strategies as st
from tokenizer_samples import KOREAN_LINES, byte_level_json, corpus

from textpipe import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers
from textpipe.errors import InputError
from textpipe.pre_tokenizers.grammars import PATTERNS
from textpipe.processors import TemplateProcessing
from textpipe.tokenizer import pipeline

WHOLE = 1 << 30


def split_by(pattern: str) -> pre_tokenizers.Sequence:
    split = pre_tokenizers.Split(Regex(pattern), "isolated")
    return pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def byte_level() -> pre_tokenizers.ByteLevel:
    return pre_tokenizers.ByteLevel(add_prefix_space=False)


CUTS = {
    "blank before, then gpt2": pre_tokenizers.ByteLevel,
    "white space": lambda: pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), byte_level()]),
    "words": lambda: pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), byte_level()]),
    "digits, then gpt2": lambda: pre_tokenizers.Sequence([pre_tokenizers.Digits(), byte_level()]),
    "newlines kept": lambda: split_by(r"\n[a-z가-힣]"),
    **{name: functools.partial(split_by, pattern) for name, pattern in PATTERNS.items()},
}
NORMALIZERS = {
    "nothing": lambda: None,
    "NFC": normalizers.NFC,
    "NFD": normalizers.NFD,
    "NFKC, lower case": lambda: normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()]),
    "newlines to blanks": lambda: normalizers.Replace("\n", " "),
    "stripped": normalizers.Strip,
}
TOKENS = {
    "none": [],
    "plain": [AddedToken("b", single_word=True, normalized=False), AddedToken("가", rstrip=True)],
    "takes the blanks before it": [AddedToken("나", lstrip=True, normalized=False)],
    "across lines": [AddedToken("a\nb", normalized=False)],
    "special, across lines": [AddedToken("b\n가", special=True)],
}
# What stands around newlines, where a text may be parted or not.
PIECES = [
    "a",
    "b",
    "Z",
    "가",
    "나",
    "각\u11a8",
    "\u1100",
    "é",
    "Σ",
    "1",
    ".",
    "!",
    "'s",
    " ",
    "\t",
    "\r",
    "\n",
    "\n",
    "\n",
    "漢",
    "😀",
]
pieces = st.sampled_from([*PIECES, "a\nb", "a\n나", "b\n가"])
lines = st.one_of(st.lists(pieces, max_size=20), st.lists(pieces, min_size=20, max_size=60)).map("".join)


def tokenizer_of(cut: str, normalizer: str, tokens: str, part_chars: int, monkeypatch: pytest.MonkeyPatch) -> Tokenizer:
    tokenizer = Tokenizer.from_str(byte_level_json())
    tokenizer.normalizer = NORMALIZERS[normalizer]()
    tokenizer.pre_tokenizer = CUTS[cut]()
    tokenizer.add_tokens(TOKENS[tokens])
    monkeypatch.setattr(pipeline, "PART_CHARS", part_chars)
    tokenizer.encode("")  # compiles the stages
    return tokenizer


def all_of(tokenizer: Tokenizer, texts: list[str], threads: int = 1) -> list[object]:
    ids, offsets = tokenizer.encode_to_numpy(texts, threads=threads)
    spans = tokenizer.encode_spans_to_numpy(texts, threads=threads)
    columns = [spans.ids, spans.begins, spans.ends, spans.words, spans.offsets]
    return [column.tolist() for column in [ids, offsets, *columns]]


@pytest.mark.parametrize(
    ("cut", "normalizer", "tokens"),
    [
        *((cut, "nothing", "none") for cut in CUTS),
        *(("gpt2", normalizer, "plain") for normalizer in NORMALIZERS),
        *(("gpt4", "NFC", tokens) for tokens in TOKENS),
        *(("gpt4o", "nothing", tokens) for tokens in TOKENS if tokens != "none"),
    ],
)
def test_a_text_in_parts_has_the_tokens_and_places_of_the_whole(cut, normalizer, tokens):
    with pytest.MonkeyPatch.context() as monkeypatch:
        whole = tokenizer_of(cut, normalizer, tokens, WHOLE, monkeypatch)
        parted = {chars: tokenizer_of(cut, normalizer, tokens, chars, monkeypatch) for chars in (2, 3, 9)}

    @given(st.lists(lines, max_size=3), st.sampled_from(sorted(parted)))
    def compare(texts, chars):
        assert all_of(parted[chars], texts) == all_of(whole, texts)

    compare()


@pytest.mark.parametrize("clean_text", [True, False])
def test_a_text_in_parts_has_the_ids_of_the_whole_for_bert(clean_text):
    words = [
        "[UNK]",
        "a",
        "##a",
        "b",
        "##b",
        "z",
        "##가",
        "가",
        "나",
        "##나",
        ".",
        "!",
        "'",
        "s",
        "1",
        "漢",
        "각",
        "e",
    ]

    def bert(part_chars: int) -> Tokenizer:
        tokenizer = Tokenizer(models.WordPiece({piece: number for number, piece in enumerate(words)}))
        tokenizer.normalizer = normalizers.BertNormalizer(clean_text=clean_text)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        monkeypatch.setattr(pipeline, "PART_CHARS", part_chars)
        tokenizer.encode_to_numpy([""])  # compiles the stages
        return tokenizer

    with pytest.MonkeyPatch.context() as monkeypatch:
        whole, parted = bert(WHOLE), bert(2)

    @given(st.lists(lines, max_size=3))
    def compare(texts):
        assert all_of(parted, texts) == all_of(whole, texts)

    compare()


@pytest.mark.parametrize("part_chars", [2, 3, 50])
def test_newlines_beside_blanks_digits_and_marks_are_as_in_the_whole(part_chars):
    with pytest.MonkeyPatch.context() as monkeypatch:
        tokenizer = tokenizer_of("gpt2", "nothing", "none", part_chars, monkeypatch)
        whole = tokenizer_of("gpt2", "nothing", "none", WHOLE, monkeypatch)
    for before in ("\n\n", " \n", "1\n", "é\n", "\r\n", "x\n"):
        for after in ("\n", "1", " x", "é", "a"):
            text = ("ab" + before + after) * 40
            assert all_of(tokenizer, [text]) == all_of(whole, [text])


def test_parts_give_the_same_with_any_number_of_threads():
    chance = random.Random(3)
    text = "\n".join(chance.choice([*KOREAN_LINES, "Plain lines end so", "그리고 이렇게", "😀"]) for _ in range(10_000))
    assert len(text) > 1 << 18  # so many that threads begin
    with pytest.MonkeyPatch.context() as monkeypatch:
        expected = all_of(tokenizer_of("gpt2", "NFC", "plain", WHOLE, monkeypatch), [text, "a", text])
        for threads, part_chars in ((1, 1 << 16), (2, 1 << 16), (7, 1 << 16), (3, 100)):
            tokenizer = tokenizer_of("gpt2", "NFC", "plain", part_chars, monkeypatch)
            assert all_of(tokenizer, [text, "a", text], threads) == expected


@pytest.mark.parametrize("source", ["ko-reviews.txt.zst", "ko-docs.txt.zst", "en-docs.txt.zst"])
def test_a_real_text_in_parts_has_the_ids_and_places_of_tokenizers(source):
    text = corpus(source, 300_000)
    expected = oracle.Tokenizer.from_str(byte_level_json()).encode(text)
    with pytest.MonkeyPatch.context() as monkeypatch:
        tokenizer = tokenizer_of("gpt2", "nothing", "none", 200, monkeypatch)
    spans = tokenizer.encode_spans_to_numpy([text], threads=3)
    assert tokenizer.encode_to_numpy([text], threads=3)[0].tolist() == expected.ids
    assert spans.ids.tolist() == expected.ids
    assert list(zip(spans.begins.tolist(), spans.ends.tolist(), strict=True)) == expected.offsets
    assert spans.words.tolist() == expected.word_ids


def test_ids_of_the_template_frame_a_long_text_once():
    text = "\n".join(["Plain lines end so", "그리고 이렇게"] * 9000)
    tokenizer = Tokenizer.from_str(byte_level_json())
    bare, _ = tokenizer.encode_to_numpy([text])
    tokenizer.post_processor = TemplateProcessing(
        single="<|endoftext|> $A <|endoftext|>", special_tokens=[("<|endoftext|>", 0)]
    )
    ids, offsets = tokenizer.encode_to_numpy([text, text])
    assert [ids[begin:end].tolist() for begin, end in pairwise(offsets)] == [[0, *bare.tolist(), 0]] * 2


def test_a_surrogate_late_in_a_long_text_is_found_at_its_place():
    text = "그리고 이렇게\n" * 40_000
    with pytest.raises(InputError, match=r"300005|300,005"):
        Tokenizer.from_str(byte_level_json()).encode_to_numpy([text[:300_005] + "\ud800" + text])
