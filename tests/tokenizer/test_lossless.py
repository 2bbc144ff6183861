"""Whoever says that nothing is lost is right: random tokenizers, each of whose yes is tried on random texts."""

from __future__ import annotations

import random
import unicodedata

from tokenizer_samples import ALPHABET

from textpipe import AddedToken, Regex, Tokenizer, decoders, normalizers, pre_tokenizers
from textpipe.models import BPE

SPELLED = sorted(pre_tokenizers.ByteLevel.alphabet())
MERGES = [("ê", "°"), ("ì", "Ŀ"), ("Ġ", "ê"), ("a", "b"), ("Ġ", "Ġ")]
PATTERNS = [r"\s+", r"[가-힣]+", r"\d", r"\w+|[^\w\s]+", r".", r"(?=가)", r"x*", r"\b", r" ?\p{L}+|\s+(?!\S)|\s+"]
BEHAVIORS = ["removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"]
CONTENTS = ["<x>", "가나", " s", "ㅋㅋ", "x ", "▁", "Ġ", "é", "  "]
PIECES = [*ALPHABET, " ", "  ", "\u3000", "\n", "\u0301", "\u200d", "\x00", "가", "漢", "か", "ا", *CONTENTS]


def cut(draw: random.Random, depth: int = 0) -> pre_tokenizers.PreTokenizer:
    flag, behavior = draw.random() < 0.5, draw.choice(BEHAVIORS)
    choices = [
        pre_tokenizers.UnicodeScripts,
        lambda: pre_tokenizers.Digits(flag),
        lambda: pre_tokenizers.FixedLength(draw.randrange(1, 5)),
        lambda: pre_tokenizers.Punctuation(behavior),
        lambda: pre_tokenizers.Split(Regex(draw.choice(PATTERNS)), behavior, flag),
        lambda: pre_tokenizers.Split(draw.choice([" ", "가", "ab"]), behavior, flag),
        pre_tokenizers.Whitespace,
        pre_tokenizers.WhitespaceSplit,
        pre_tokenizers.BertPreTokenizer,
        lambda: pre_tokenizers.CharDelimiterSplit(" "),
        lambda: pre_tokenizers.Metaspace("▁", draw.choice(["always", "first", "never"])),
        lambda: pre_tokenizers.ByteLevel(flag),
        lambda: pre_tokenizers.Sequence([cut(draw, depth + 1) for _ in range(draw.randrange(3))]),
    ]
    # The first six lose nothing, or may; all but the last of the others do.
    return draw.choice([*choices[: 6 if draw.random() < 0.8 else 12], *([choices[12]] if depth < 2 else [])])()


def one_tokenizer(draw: random.Random) -> Tokenizer:
    made = [left + right for left, right in MERGES]
    letters = SPELLED if draw.random() < 0.9 else draw.sample(SPELLED, 255)
    vocab = {piece: number for number, piece in enumerate([*letters, *made])}
    merges = [pair for pair in MERGES if {*pair} <= vocab.keys()]
    prefix = draw.choice([None] * 9 + ["##"])
    model = BPE(vocab, merges if prefix is None else [], continuing_subword_prefix=prefix)
    tokenizer = Tokenizer(model)
    if draw.random() < 0.2:
        tokenizer.normalizer = draw.choice([normalizers.NFC(), normalizers.Strip(), normalizers.Sequence([])])
    last = pre_tokenizers.ByteLevel(draw.random() < 0.1, use_regex=draw.random() < 0.5)
    cuts = [cut(draw) for _ in range(draw.randrange(4))]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([*cuts, last]) if cuts else last
    tokenizer.decoder = draw.choice([decoders.ByteLevel()] * 9 + [decoders.Fuse()])
    for content in draw.sample(CONTENTS, draw.randrange(3)):
        names = ("single_word", "lstrip", "rstrip", "normalized", "special")
        tokenizer.add_tokens([AddedToken(content, **{name: draw.random() < 0.2 for name in names})])
    return tokenizer


def one_text(draw: random.Random) -> str:
    text = "".join(draw.choice(PIECES) for _ in range(draw.randrange(10)))
    return unicodedata.normalize("NFD", text) if draw.random() < 0.2 else text


def test_a_tokenizer_that_calls_itself_lossless_gives_every_text_back():
    draw, num_lossless = random.Random(20_261_123), 0
    for number in range(1500):
        tokenizer = one_tokenizer(draw)
        if not tokenizer.lossless:
            continue
        num_lossless += 1
        for text in [" 가", "\n漢 a", *(one_text(draw) for _ in range(12))]:
            ids = tokenizer.encode(text, add_special_tokens=False).ids
            back = tokenizer.decode(ids, skip_special_tokens=False)
            assert back == text, f"tokenizer {number}: {tokenizer.pre_tokenizer} {tokenizer.get_added_tokens_decoder()}"
    assert num_lossless > 200  # or the draws have to be other ones


def test_scripts_drop_what_stands_before_the_first_one_and_so_are_not_lossless():
    tokenizer = Tokenizer(BPE({piece: number for number, piece in enumerate(SPELLED)}, []))
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    assert tokenizer.lossless
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.UnicodeScripts(), tokenizer.pre_tokenizer])
    assert not tokenizer.lossless
    assert tokenizer.decode(tokenizer.encode(" 가").ids) == "가"
