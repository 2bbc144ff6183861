"""Vocabularies that go on from another: against the slow twin, and every id kept."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from random_corpora import random_case
from slow_bpe import slow_bpe

from textpipe import Tokenizer, pre_tokenizers
from textpipe.core._native import grammar_step
from textpipe.core._word_counts import WordCounts
from textpipe.errors import ConfigError, InputError
from textpipe.models import BPE
from textpipe.trainers import BpeTrainer, WordCutter, count_texts, extend_bpe, train_bpe, train_superwords


def counts_of(words, *, byte_level=False):
    counts = WordCounts(byte_level=byte_level)
    for word, count in Counter(words).items():
        counts.add(word.encode(), count)
    return counts


def plain_case(seed):
    """Words for the first training and for the second, without settings that a second cannot keep."""
    words, _ = random_case(seed)
    rng = random.Random(seed)
    half = rng.randint(1, len(words))
    return words[:half], words, rng.choice([4, 8, 20]), rng.choice([10, 30, 60, 1000])


@pytest.mark.parametrize("first", range(0, 400, 100))
def test_random_corpora_go_on_as_in_the_slow_twin(first):
    for seed in range(first, first + 100):
        words, more, small, large = plain_case(seed)
        if len(more) > 250:
            continue
        old = train_bpe(counts_of(words), BpeTrainer(vocab_size=small))
        trainer = BpeTrainer(vocab_size=large)
        grown = extend_bpe(old.vocab, old.merges, counts_of(more), trainer)
        vocab, merges = slow_bpe(Counter(more), trainer, known=(old.vocab, old.merges))
        assert grown.vocab == vocab, f"seed {seed}"
        assert grown.merges == list(dict.fromkeys([*old.merges, *merges])), f"seed {seed}"


ENGLISH = ["the ferry is late and the others are later", "nobody minds the ferry"] * 4
KOREAN = ["할머니는 마당에서 콩을 고르고 고양이는 볕을 쬔다ㅎㅎ", "고양이가 마당에서 콩을 먹었다ㅋㅋㅋ"] * 4
BYTES = WordCutter(cutting=(grammar_step(0),), byte_level=True)


@pytest.mark.parametrize("alphabet", [(), tuple(pre_tokenizers.ByteLevel.alphabet())], ids=["bytes seen", "all bytes"])
def test_every_id_stays_and_korean_takes_fewer_tokens(alphabet):
    settings = {"special_tokens": ["<|endoftext|>"], "initial_alphabet": alphabet}
    old = train_bpe(count_texts(ENGLISH, BYTES), BpeTrainer(vocab_size=len(alphabet) + 60, **settings))
    grown = extend_bpe(old.vocab, old.merges, count_texts(KOREAN, BYTES), BpeTrainer(vocab_size=len(alphabet) + 90))
    assert grown.vocab.items() >= old.vocab.items()
    assert grown.merges[: len(old.merges)] == old.merges
    assert len(grown.vocab) == len(alphabet) + 90
    before, after = (Tokenizer(BPE(dict(trained.vocab), list(trained.merges))) for trained in (old, grown))
    for tokenizer in (before, after):
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    assert after.encode(ENGLISH[0]).ids == before.encode(ENGLISH[0]).ids
    if alphabet:
        assert len(after.encode(KOREAN[0]).ids) < len(before.encode(KOREAN[0]).ids)


def test_gaps_between_ids_stay_and_new_ids_follow_the_last():
    grown = extend_bpe({"가": 3, "나": 10}, [], counts_of(["가나다"] * 2), BpeTrainer(vocab_size=5))
    assert grown.vocab == {"가": 3, "나": 10, "다": 11, "가나": 12, "가나다": 13}


def test_new_special_tokens_come_before_the_new_merges():
    grown = extend_bpe({"가": 0, "나": 1}, [], counts_of(["가나"]), BpeTrainer(vocab_size=9, special_tokens=["<sep>"]))
    assert grown.vocab == {"가": 0, "나": 1, "<sep>": 2, "가나": 3}


def test_a_string_made_another_way_keeps_its_id():
    # "abc" is there as "a" + "bc"; where "ab" came first the pair "ab" + "c" makes it again.
    old = {"a": 0, "b": 1, "c": 2, "ab": 3, "bc": 4, "abc": 5}
    grown = extend_bpe(old, [("a", "b"), ("b", "c"), ("a", "bc")], counts_of(["abc"] * 3), BpeTrainer(vocab_size=7))
    assert grown.vocab == old
    assert grown.merges[-1] == ("ab", "c")


def test_two_entries_of_one_id_and_merges_without_entries_are_refused():
    with pytest.raises(InputError, match="have the same id 0"):
        extend_bpe({"가": 0, "나": 0}, [], counts_of(["가나"]), BpeTrainer())
    with pytest.raises(InputError, match="which has no id"):
        extend_bpe({"가": 0, "나": 1}, [("가", "나")], counts_of(["가나"]), BpeTrainer())


@pytest.mark.parametrize("limit", [{"max_token_length": 4}, {"limit_alphabet": 9}, {"scripts_apart": True}])
def test_limits_that_the_old_entries_may_break_are_refused(limit):
    with pytest.raises(ConfigError, match=r"cannot be kept"):
        extend_bpe({"가": 0}, [], counts_of(["가"]), BpeTrainer(**limit))


# ---- tokens beyond words


def test_superwords_hold_spaces_only_after_the_words_are_learned():
    words = count_texts(KOREAN, BYTES)
    spans = WordCounts(byte_level=True)
    for text in KOREAN:
        spans.add(text.encode())
    alphabet = len(train_bpe(words, BpeTrainer(vocab_size=0)).vocab)
    until = alphabet + 40
    trained = train_superwords(words, spans, BpeTrainer(vocab_size=alphabet + 90), words_until=until)
    tokens = list(trained.vocab)
    assert not any("Ġ" in token[1:] for token in tokens[:until])
    assert any("Ġ" in token[1:] for token in tokens[until:])
    first = train_bpe(words, BpeTrainer(vocab_size=until))
    assert tokens[:until] == list(first.vocab)


def test_a_stage_beyond_the_size_is_refused():
    with pytest.raises(ConfigError, match="words_until"):
        train_superwords(WordCounts(), WordCounts(), BpeTrainer(vocab_size=5), words_until=6)
