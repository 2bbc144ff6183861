"""``Tokenizer.train`` and ``train_from_iterator`` learn what `tokenizers` learns, stage by stage."""

from __future__ import annotations

import json

import pytest
import tokenizers

from textpipe import Tokenizer, models, normalizers, pre_tokenizers, trainers
from textpipe.errors import InputError

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


# ---- other models


def words_of_text():
    return {word for line in LINES for word in line.split()}


def word_level(kit, train):
    tokenizer = kit.Tokenizer(kit.models.WordLevel(unk_token="<unk>"))
    tokenizer.pre_tokenizer = kit.pre_tokenizers.WhitespaceSplit()
    train(tokenizer, kit.trainers.WordLevelTrainer(vocab_size=15, special_tokens=["<unk>", "<s>"], show_progress=False))
    return tokenizer


def word_piece(kit, train):
    # The symbols are special tokens, so that their ids do not hang on the order of a hash there.
    characters = sorted({character for word in words_of_text() for character in word})
    special = ["[UNK]", *(f"@{character}" for character in characters)]
    tokenizer = kit.Tokenizer(kit.models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=9))
    tokenizer.pre_tokenizer = kit.pre_tokenizers.WhitespaceSplit()
    trainer = kit.trainers.WordPieceTrainer(
        vocab_size=260, special_tokens=special, continuing_subword_prefix="@", show_progress=False
    )
    train(tokenizer, trainer)
    return tokenizer


@pytest.mark.parametrize("make", [word_level, word_piece])
def test_other_models_train_from_an_iterator_as_in_tokenizers(make):
    def train(tokenizer, trainer):
        tokenizer.train_from_iterator(TEXT, trainer)

    mine, theirs = make(Ours, train), make(tokenizers, train)
    assert mine.to_str(pretty=True) == theirs.to_str(pretty=True)
    for line in [*LINES, "밥 힣 unknown"]:
        assert mine.encode(line).ids == theirs.encode(line).ids


@pytest.mark.parametrize("make", [word_level, word_piece])
def test_other_models_train_from_a_file_as_in_tokenizers(make, tmp_path):
    file = tmp_path / "text.txt"
    file.write_bytes("\n".join(TEXT).encode())

    def train(tokenizer, trainer):
        tokenizer.train([str(file)], trainer)

    assert make(Ours, train).to_str() == make(tokenizers, train).to_str()


def test_saved_counts_train_every_model(tmp_path):
    file = tmp_path / "text.counts"

    def train(tokenizer, trainer):
        cutter = tokenizer.pipeline.word_cutter()
        trainers.save_counts(file, trainers.count_texts(TEXT, cutter), cutter.settings)
        tokenizer.train(file, trainer)

    for make in (word_level, word_piece):
        from_text = make(Ours, lambda tokenizer, trainer: tokenizer.train_from_iterator(TEXT, trainer))
        assert make(Ours, train).to_str() == from_text.to_str()


@pytest.mark.parametrize(
    ("model", "trainer"),
    [
        (models.WordLevel(), trainers.BpeTrainer()),
        (models.BPE(), trainers.WordPieceTrainer()),
        (models.WordPiece(), trainers.WordLevelTrainer()),
    ],
)
def test_a_trainer_of_another_model_is_refused_before_anything_is_read(model, trainer):
    def texts():
        raise AssertionError("read")
        yield

    with pytest.raises(InputError, match=f"a {type(trainer).__name__} cannot train a {type(model).__name__}"):
        Tokenizer(model).train_from_iterator(texts(), trainer)


def test_a_model_without_a_trainer_is_refused_by_its_kind():
    class Mine(models.Model):
        pass

    with pytest.raises(InputError, match="no trainer of a Mine"):
        Tokenizer(Mine({})).train_from_iterator(["가"])


@pytest.mark.parametrize("model", [models.BPE(), models.WordLevel(), models.WordPiece()])
def test_without_a_trainer_a_model_is_trained_by_the_defaults_of_its_kind(model):
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.train_from_iterator(["가나 가나 다"])
    assert type(tokenizer.model) is type(model)
    assert tokenizer.token_to_id("가나") is not None
