"""Words of a tokenizer that has added tokens: native steps cut and count them as its stages do."""

from __future__ import annotations

import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st

import textpipe
from textpipe import AddedToken, Tokenizer
from textpipe.core.byte_alphabet import to_bytes
from textpipe.models import BPE
from textpipe.normalizers import NFC, Lowercase
from textpipe.pre_tokenizers import BertPreTokenizer, ByteLevel, Metaspace, Whitespace
from textpipe.trainers import BpeTrainer, WordCutter, count_files, count_texts, train_bpe

SPECIAL = AddedToken("<|end|>", special=True, normalized=False)
WIDE = AddedToken("a ㅋ", special=True, normalized=False)
GREEDY = AddedToken("<x>", lstrip=True, rstrip=True, normalized=False)
ALONE = AddedToken("ab", single_word=True, normalized=False)
STAGES = [
    (None, ByteLevel(add_prefix_space=False)),
    (NFC(), ByteLevel(add_prefix_space=True)),
    (NFC(), Metaspace()),
    (Lowercase(), BertPreTokenizer()),
    (None, Whitespace()),
    (NFC(), None),
]
TEXTS = st.lists(
    st.sampled_from(
        ["<|end|>", "<|end", "a ㅋ", "<x>", "ab", "A", " ", "  ", "\n", "한", "\u1112\u1161\u11ab", "ㅋㅋ", "é", "😀"]
    ),
    max_size=12,
).map("".join)


def tokenizer_of(normalizer, pre_tokenizer, *tokens):
    made = Tokenizer(BPE())
    if normalizer is not None:
        made.normalizer = normalizer
    if pre_tokenizer is not None:
        made.pre_tokenizer = pre_tokenizer
    made.add_tokens(list(tokens))
    return made


def by_stages(tokenizer, texts):
    """The same counts with every text cut by the stages, in bytes where the counts are of bytes."""
    counts = count_texts(texts, WordCutter(split=tokenizer.pipeline.words_of))
    if not tokenizer.pipeline.word_cutter().byte_level:
        return sorted(counts.items())
    return sorted((to_bytes(word.decode()), number) for word, number in counts.items())


@given(texts=st.lists(TEXTS, max_size=6), stages=st.sampled_from(STAGES))
def test_texts_with_added_tokens_and_without_are_counted_as_the_stages_cut_them(texts, stages):
    normalizer, pre_tokenizer = stages
    tokens = [SPECIAL, ALONE] + ([] if isinstance(pre_tokenizer, ByteLevel) else [WIDE, GREEDY])
    tokenizer = tokenizer_of(normalizer, pre_tokenizer, *tokens)
    cutter = tokenizer.pipeline.word_cutter()
    assert not cutter.is_python
    assert sorted(count_texts(texts, cutter).items()) == by_stages(tokenizer, texts)


@given(
    texts=st.lists(st.text(" \u3000가나\n\u200b", max_size=8), min_size=1, max_size=4),
    normalizer=st.sampled_from([("Strip",), ("Replace", "가", ""), ("NFD",), ("Nmt",)]),
    stages=st.sampled_from(
        [
            [("Metaspace", "▁", "first")],
            [("WhitespaceSplit",), ("Metaspace", "▁", "first")],
            [("ByteLevel", True), ("Metaspace", "▁", "first")],
        ]
    ),
)
def test_the_words_learned_are_those_of_tokenizers_where_a_text_begins_otherwise_than_it_did(texts, normalizer, stages):
    learned = []
    for package in (textpipe, tokenizers):
        made = package.Tokenizer(package.models.WordLevel(unk_token="<unk>"))
        name, *arguments = normalizer
        made.normalizer = getattr(package.normalizers, name)(*arguments)
        made.pre_tokenizer = package.pre_tokenizers.Sequence(
            [getattr(package.pre_tokenizers, name)(*arguments) for name, *arguments in stages]
        )
        trainer = package.trainers.WordLevelTrainer(special_tokens=["<unk>"], show_progress=False)
        made.train_from_iterator([*texts, "나"], trainer)
        learned.append(set(made.get_vocab()))
        encoded = made.encode_batch(texts)
        assert not any("<unk>" in encoding.tokens for encoding in encoded)
    assert learned[0] == learned[1]


@pytest.mark.parametrize("threads", [1, 4])
def test_a_file_with_added_tokens_gives_the_counts_of_its_lines(tmp_path, threads):
    lines = ["밥을 먹고 <|end|> 간다ㅋㅋ\n", "밥을 먹고\n", "<|end|>\n", "\n", "끝 <|end|>"] * 300
    file = tmp_path / "ko.txt"
    file.write_text("".join(lines), encoding="utf-8")
    tokenizer = tokenizer_of(NFC(), ByteLevel(add_prefix_space=False), SPECIAL)
    counted = count_files(file, tokenizer.pipeline.word_cutter(), threads=threads)
    whole = "".join(lines)
    assert sorted(counted.items()) == by_stages(
        tokenizer, [line + "\n" for line in whole.split("\n")[:-1]] + [lines[-1]]
    )


@pytest.mark.parametrize(
    ("normalizer", "pre_tokenizer", "token"),
    [
        (NFC(), ByteLevel(), AddedToken("<x>", normalized=True)),  # what it is found in must be normalized first
        (None, ByteLevel(), AddedToken("<사용자>", normalized=False)),  # no bytes stand for its characters
        (None, ByteLevel(), GREEDY),  # nor for the blanks it takes in
    ],
)
def test_tokens_that_a_text_does_not_tell_of_leave_the_cutting_to_the_stages(normalizer, pre_tokenizer, token):
    assert tokenizer_of(normalizer, pre_tokenizer, token).pipeline.word_cutter().is_python


def test_what_is_learned_is_what_is_learned_from_words_cut_by_the_stages():
    texts = ["밥을 먹고 밥을 짓고<|end|>", "the ferries ferry the ferrymen", "<|end|> 밥을 먹는다"] * 5
    tokenizer = tokenizer_of(NFC(), ByteLevel(add_prefix_space=False), SPECIAL)
    trainer = BpeTrainer(vocab_size=120, special_tokens=["<|end|>"], show_progress=False)
    cutters = tokenizer.pipeline.word_cutter(), WordCutter(split=tokenizer.pipeline.words_of)
    native, python = (train_bpe(count_texts(texts, cutter), trainer) for cutter in cutters)
    assert native.merges == python.merges
    assert native.vocab == python.vocab
