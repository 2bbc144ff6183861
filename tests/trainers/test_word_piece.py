"""The WordPiece trainer against `tokenizers` and the slow twin, and its own promises.

`tokenizers` numbers the symbols with a prefix or suffix in the order of a hash, so for comparison they are all given as
special tokens, which fixes their ids on both sides.
"""

from __future__ import annotations

import json
import random
from collections import Counter

import pytest
from random_corpora import random_case
from slow_bpe import slow_bpe

from textpipe.core._word_counts import WordCounts
from textpipe.errors import ConfigError, WrongTypeError
from textpipe.trainers import BpeTrainer, WordPieceTrainer, train_word_piece

KOREAN = [
    "할머니는 마당에서 콩을 고르고 고양이는 볕을 쬔다ㅎㅎ",
    "고양이가 마당에서 콩을 먹었다ㅋㅋㅋ",
    "\u1112\u1161\u11ab글은 한글이다",
    "The ferry is late again, and nobody minds the ferries.",
]


def counts_of(words):
    counts = WordCounts()
    for word, count in Counter(words).items():
        counts.add(word.encode(), count)
    return counts


def theirs(words, arguments):
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.train_from_iterator([" ".join(words)], trainers.WordPieceTrainer(show_progress=False, **arguments))
    return json.loads(tokenizer.to_str())["model"]["vocab"]


def word_piece_case(seed):
    """A random corpus whose symbols all are special tokens."""
    words, arguments = random_case(seed)
    rng = random.Random(seed)
    arguments.pop("max_token_length", None)
    prefix = arguments.setdefault("continuing_subword_prefix", rng.choice(["##", "##", "", "@"]))
    suffix = arguments.get("end_of_word_suffix", "")
    symbols = {
        (prefix if place & 1 else "") + character + (suffix if place & 2 else "")
        for character in set("".join(words))
        for place in range(4)
    }
    arguments["special_tokens"] = [*arguments.get("special_tokens", []), *sorted(symbols)]
    if prefix == "##" and rng.random() < 0.5:
        del arguments["continuing_subword_prefix"]  # what both have without it
    return words, arguments


@pytest.mark.parametrize("first", range(0, 2000, 200))
def test_random_corpora_train_as_in_tokenizers(first, monkeypatch):
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    for seed in range(first, first + 200):
        words, arguments = word_piece_case(seed)
        mine = train_word_piece(counts_of(words), WordPieceTrainer(show_progress=False, **arguments))
        # New entries of one step enter there in the order of a hash, and two entries of one pair may leave by it.
        assert any(mine == theirs(words, arguments) for _ in range(60)), f"seed {seed}: {arguments}"


def test_random_corpora_train_as_by_the_slow_twin():
    for seed in range(300):
        words, arguments = random_case(seed)
        arguments.pop("max_token_length", None)
        arguments.setdefault("continuing_subword_prefix", "##")
        if len(words) < 250:
            twin, _ = slow_bpe(Counter(words), BpeTrainer(show_progress=False, **arguments))
            mine = train_word_piece(counts_of(words), WordPieceTrainer(show_progress=False, **arguments))
            assert mine == twin, f"seed {seed}: {arguments}"


@pytest.mark.parametrize("vocab_size", [80, 150, 1000])
def test_korean_trains_as_in_tokenizers(vocab_size):
    words = " ".join(KOREAN).split()
    special = ["[UNK]", *sorted("##" + character for character in set("".join(words)))]
    arguments = {"vocab_size": vocab_size, "special_tokens": special}
    mine = train_word_piece(counts_of(words), WordPieceTrainer(show_progress=False, **arguments))
    assert mine == theirs(words, arguments)


def test_symbols_with_a_prefix_get_ids_in_the_order_of_their_strings():
    vocab = train_word_piece(counts_of(["나가다"]), WordPieceTrainer(vocab_size=5))
    assert vocab == {"가": 0, "나": 1, "다": 2, "##가": 3, "##다": 4}


def test_the_pieces_of_tokenizers_are_the_same_but_for_ties():
    # Without ties the order of the ids does not matter, and the pieces are those of any of its runs.
    words = ["abcd"] * 64 + ["bc"] * 20 + ["cd"] * 9 + ["xab"] * 3
    arguments = {"vocab_size": 14, "special_tokens": ["[UNK]"]}
    mine = train_word_piece(counts_of(words), WordPieceTrainer(show_progress=False, **arguments))
    assert "[UNK]" in mine
    assert any(set(mine) == set(theirs(words, arguments)) for _ in range(60))


def test_a_trainer_prints_what_differs_from_the_defaults_and_checks_what_is_changed():
    trainer = WordPieceTrainer(vocab_size=8000, initial_alphabet=["나라", "가", "나"])
    assert repr(trainer) == "WordPieceTrainer(vocab_size=8000, initial_alphabet=['가', '나'])"
    assert trainer.continuing_subword_prefix == "##"
    trainer.vocab_size = 9
    assert "vocab_size=9" in repr(trainer)
    with pytest.raises(ConfigError):
        trainer.vocab_size = -1
    assert trainer.vocab_size == 9


@pytest.mark.parametrize(
    ("name", "value"),
    [("vocab_size", -1), ("limit_alphabet", -2), ("min_frequency", 0.5), ("continuing_subword_prefix", None)],
)
def test_a_setting_that_cannot_be_is_refused_by_name(name, value):
    with pytest.raises((ConfigError, WrongTypeError), match=name):
        WordPieceTrainer(**{name: value})
