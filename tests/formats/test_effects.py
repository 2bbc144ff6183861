"""Stages that are called the same do the same to every text; those that do not are told apart."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizer_samples import byte_level_json

from textpipe import Regex, Tokenizer, decoders, normalizers, pre_tokenizers, processors
from textpipe.formats.effects import same_effect
from textpipe.pre_tokenizers.grammars import PATTERNS

CUT = pre_tokenizers.Split(Regex(PATTERNS["gpt2"]), "isolated")
BYTES = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
SAME = [
    ("pre_tokenizer", pre_tokenizers.ByteLevel(add_prefix_space=False), pre_tokenizers.Sequence([CUT, BYTES])),
    (
        "pre_tokenizer",
        pre_tokenizers.Sequence([pre_tokenizers.Digits(), pre_tokenizers.ByteLevel(False, trim_offsets=False)]),
        pre_tokenizers.Sequence([pre_tokenizers.Sequence([pre_tokenizers.Digits(), CUT]), BYTES]),
    ),
    ("post_processor", processors.ByteLevel(trim_offsets=False), None),
    ("post_processor", processors.ByteLevel(use_regex=False), processors.Sequence([processors.ByteLevel()])),
    (
        "post_processor",
        processors.BertProcessing(("</s>", 1), ("<s>", 0)),
        processors.TemplateProcessing("<s> $A </s>", "<s> $A </s> $B:1 </s>:1", [("<s>", 0), ("</s>", 1)]),
    ),
    ("normalizer", normalizers.Sequence([]), None),
    ("normalizer", normalizers.Sequence([normalizers.NFC()]), normalizers.NFC()),
    ("decoder", decoders.ByteLevel(add_prefix_space=False), decoders.ByteLevel()),
]
DIFFERENT = [
    ("pre_tokenizer", pre_tokenizers.ByteLevel(), pre_tokenizers.ByteLevel(add_prefix_space=False)),
    ("pre_tokenizer", pre_tokenizers.ByteLevel(), pre_tokenizers.Sequence([CUT, pre_tokenizers.ByteLevel()])),
    (
        "pre_tokenizer",
        pre_tokenizers.ByteLevel(add_prefix_space=True),
        pre_tokenizers.Sequence([CUT, pre_tokenizers.ByteLevel(add_prefix_space=True, use_regex=False)]),
    ),
    ("post_processor", processors.ByteLevel(trim_offsets=True), None),
    ("post_processor", processors.ByteLevel(add_prefix_space=False), processors.ByteLevel(add_prefix_space=True)),
    (
        "post_processor",
        processors.BertProcessing(("</s>", 1), ("<s>", 0)),
        processors.TemplateProcessing("<s> $A </s>", "<s> $A </s> $B </s>", [("<s>", 0), ("</s>", 1)]),
    ),
    ("decoder", decoders.ByteLevel(), None),
]


def made_with(place, stage):
    tokenizer = Tokenizer.from_str(byte_level_json())
    setattr(tokenizer, place, stage)
    return tokenizer


def results(tokenizer, text):
    tokenizer.enable_truncation(9, stride=1)
    made = []
    for found in (tokenizer.encode(text), tokenizer.encode(text, text[1:])):
        for part in (found, *found.overflowing):
            made.append((part.ids, part.offsets, part.tokens, part.type_ids, part.special_tokens_mask))
            made.append((part.word_ids, tokenizer.decode(part.ids)))
    return made


@pytest.mark.parametrize(("place", "one", "other"), SAME)
@settings(max_examples=40, deadline=None)
@given(text=st.text(st.sampled_from(" \n\t가나한 ㅋab1'!.ᄒ\u1161ᆫ\u00a0") | st.characters(codec="utf-8"), max_size=30))
def test_stages_that_are_called_the_same_do_the_same_to_every_text(place, one, other, text):
    assert same_effect(place, one, other)
    assert results(made_with(place, one), text) == results(made_with(place, other), text)


@pytest.mark.parametrize(("place", "one", "other"), DIFFERENT)
def test_stages_that_do_something_else_are_told_apart(place, one, other):
    assert not same_effect(place, one, other)
    texts = ["가 나", " 가  it's", "가\n 나"]
    assert any(results(made_with(place, one), text) != results(made_with(place, other), text) for text in texts)
