"""The trainer of whole words against `tokenizers`, and its own promises."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textpipe.core._native import grammar_step
from textpipe.core._word_counts import WordCounts
from textpipe.errors import ConfigError, WrongTypeError
from textpipe.trainers import WordCutter, WordLevelTrainer, count_texts, train_word_level

WORDS = st.lists(st.text(st.sampled_from("ab가각ㅋ\u1112\u1161\U0001f600\ue000"), min_size=1, max_size=4), max_size=60)


def counts_of(words):
    counts = WordCounts()
    for word, count in Counter(words).items():
        counts.add(word.encode(), count)
    return counts


def theirs(texts, arguments, pre_tokenizer="WhitespaceSplit", **options):
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.WordLevel(unk_token="<unk>"))
    tokenizer.pre_tokenizer = getattr(pre_tokenizers, pre_tokenizer)(**options)
    tokenizer.train_from_iterator(texts, trainers.WordLevelTrainer(show_progress=False, **arguments))
    return json.loads(tokenizer.to_str())["model"]["vocab"]


@settings(max_examples=400, deadline=None)
@given(
    WORDS,
    st.integers(0, 30),
    st.integers(0, 4),
    st.lists(st.sampled_from(["<unk>", "<s>", "a", "가", "b"]), max_size=4),
)
def test_any_words_train_as_in_tokenizers(words, vocab_size, min_frequency, special):
    arguments = {"vocab_size": vocab_size, "min_frequency": min_frequency, "special_tokens": special}
    assert train_word_level(counts_of(words), WordLevelTrainer(**arguments)) == theirs([" ".join(words)], arguments)


def test_byte_level_words_train_as_in_tokenizers():
    # é and 가 begin with bytes whose characters stand in another order than the bytes.
    texts = ["밥을 먹고\n학교에 갔다 é è \u00ad \u2028 ㅋㅋㅋ", "The ferry\tis late, late 😀"]
    counts = count_texts(texts, WordCutter(cutting=(grammar_step(0),), byte_level=True))
    for vocab_size in (5, 12, 1000):
        arguments = {"vocab_size": vocab_size, "special_tokens": ["<unk>"]}
        expected = theirs(texts, arguments, "ByteLevel", add_prefix_space=False)
        assert train_word_level(counts, WordLevelTrainer(**arguments)) == expected


def test_equal_counts_go_by_code_point():
    vocab = train_word_level(counts_of(["나", "가", "a", "\U0001f600", "\ue000"]), WordLevelTrainer())
    assert list(vocab) == ["a", "가", "나", "\ue000", "\U0001f600"]


def test_a_special_token_that_the_text_holds_has_its_later_place():
    vocab = train_word_level(counts_of(["a", "a", "<unk>"]), WordLevelTrainer(special_tokens=["<unk>"]))
    assert vocab == {"a": 1, "<unk>": 2}


def test_counts_beyond_32_bits_keep_their_order():
    counts = WordCounts()
    counts.add(b"a", (1 << 40) + 1)
    counts.add(b"b", (1 << 40) + 2)
    assert list(train_word_level(counts, WordLevelTrainer())) == ["b", "a"]


def test_a_trainer_prints_what_differs_from_the_defaults_and_checks_what_is_changed():
    trainer = WordLevelTrainer(vocab_size=8000, special_tokens=["<s>"])
    assert repr(trainer) == "WordLevelTrainer(vocab_size=8000, special_tokens=['<s>'])"
    assert trainer == WordLevelTrainer(vocab_size=8000, special_tokens=("<s>",))
    assert json.loads(trainer.to_json()) == {
        "vocab_size": 8000,
        "min_frequency": 0,
        "show_progress": True,
        "special_tokens": ["<s>"],
    }
    trainer.vocab_size = 9
    assert "vocab_size=9" in repr(trainer)
    with pytest.raises(ConfigError):
        trainer.vocab_size = -1
    assert trainer.vocab_size == 9


@pytest.mark.parametrize(("name", "value"), [("vocab_size", -1), ("vocab_size", 1 << 30), ("min_frequency", True)])
def test_a_setting_that_cannot_be_is_refused_by_name(name, value):
    with pytest.raises((ConfigError, WrongTypeError), match=name):
        WordLevelTrainer(**{name: value})
