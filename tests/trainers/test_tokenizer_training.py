"""``Tokenizer.train`` and ``train_from_iterator`` learn what `tokenizers` learns, stage by stage."""

from __future__ import annotations

import json

import pytest
import tokenizers

from textpipe import Tokenizer, models, normalizers, pre_tokenizers, trainers

LINES = [
    "밥을 먹고 학교에 갔다ㅋㅋㅋ",
    "\u1112\u1161\u11ab글은 한글, \u1112\u1161\u11ab글!",
    "  The FERRY is late; we've 12 minutes\tleft…",
    "don't [SEP] stop [SEP]밥",
    "",
    "가각갂 가각 😀👍🏽 1,234.5",
]
TEXT = [line for line in LINES for _ in range(5)]

STAGES = {
    "byte level": lambda kit: (None, kit.pre_tokenizers.ByteLevel(add_prefix_space=False)),
    "byte level, prefix space": lambda kit: (None, kit.pre_tokenizers.ByteLevel(add_prefix_space=True)),
    "NFC, byte level": lambda kit: (kit.normalizers.NFC(), kit.pre_tokenizers.ByteLevel(add_prefix_space=False)),
    "NFD, white space": lambda kit: (kit.normalizers.NFD(), kit.pre_tokenizers.Whitespace()),
    "lower case, split": lambda kit: (kit.normalizers.Lowercase(), kit.pre_tokenizers.WhitespaceSplit()),
    "digits, byte level": lambda kit: (
        None,
        kit.pre_tokenizers.Sequence(
            [kit.pre_tokenizers.Digits(individual_digits=True), kit.pre_tokenizers.ByteLevel(add_prefix_space=False)]
        ),
    ),
    "nothing": lambda kit: (None, None),
}


class Ours:
    models, normalizers, pre_tokenizers, trainers, Tokenizer = models, normalizers, pre_tokenizers, trainers, Tokenizer


def trained(kit, stages, train, added=()):
    tokenizer = kit.Tokenizer(kit.models.BPE())
    normalizer, pre_tokenizer = stages(kit)
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    if pre_tokenizer is not None:
        tokenizer.pre_tokenizer = pre_tokenizer
    if added:
        tokenizer.add_tokens(list(added))
    trainer = kit.trainers.BpeTrainer(vocab_size=150, special_tokens=["<|endoftext|>"], show_progress=False)
    train(tokenizer, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return model["vocab"], model["merges"]


@pytest.mark.parametrize("name", STAGES)
def test_an_iterator_trains_as_in_tokenizers(name):
    def train(tokenizer, trainer):
        tokenizer.train_from_iterator(TEXT, trainer)

    assert trained(Ours, STAGES[name], train) == trained(tokenizers, STAGES[name], train)


@pytest.mark.parametrize("name", STAGES)
def test_a_file_trains_as_in_tokenizers(name, tmp_path):
    file = tmp_path / "text.txt"
    file.write_bytes("\n".join(TEXT).encode())

    def train(tokenizer, trainer):
        tokenizer.train([str(file)], trainer)

    assert trained(Ours, STAGES[name], train) == trained(tokenizers, STAGES[name], train)


@pytest.mark.parametrize("name", ["byte level", "NFD, white space"])
def test_tokens_added_before_are_words_of_their_own(name):
    def train(tokenizer, trainer):
        tokenizer.train_from_iterator(TEXT, trainer)

    added = ["[SEP]", "밥"]
    assert trained(Ours, STAGES[name], train, added) == trained(tokenizers, STAGES[name], train, added)


def test_a_prefix_that_the_text_holds_learns_as_much_as_when_the_words_are_kept():
    # "##" + "#b" and "#" + "##b" then read as one string of two lengths, and the words are needed a second time.
    texts = ["ab#b b#ab #b#ba ##ba b#b#", "a#bb #ab# bb#a ab##b"] * 3
    settings = trainers.BpeTrainer(vocab_size=60, continuing_subword_prefix="#", end_of_word_suffix="b")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    kept = trainers.train_bpe(trainers.count_texts(texts, tokenizer.pipeline.word_cutter()), settings)
    tokenizer.train_from_iterator(texts, settings)
    assert tokenizer.model.merges == kept.merges != []
