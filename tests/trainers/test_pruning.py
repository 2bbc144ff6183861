"""Vocabularies cut down: what is kept works, and the map finds the old rows."""

from __future__ import annotations

import pytest
from random_corpora import random_case
from test_extending import BYTES, ENGLISH, KOREAN, counts_of

from textpipe import Tokenizer, pre_tokenizers
from textpipe.errors import InputError
from textpipe.models import BPE
from textpipe.trainers import BpeTrainer, count_texts, prune_bpe, train_bpe


@pytest.mark.parametrize("first", range(0, 300, 100))
def test_what_is_kept_is_closed_and_in_order(first):
    for seed in range(first, first + 100):
        words, _ = random_case(seed)
        old = train_bpe(counts_of(words), BpeTrainer(vocab_size=60))
        keep = list(old.vocab)[:: 1 + seed % 5]
        pruned = prune_bpe(old.vocab, old.merges, keep)
        assert set(keep) <= pruned.vocab.keys() <= old.vocab.keys()
        assert list(pruned.vocab.values()) == list(range(len(pruned.vocab)))
        assert list(pruned.vocab) == [text for text in old.vocab if text in pruned.vocab]
        assert pruned.new_id_of == {old.vocab[text]: number for text, number in pruned.vocab.items()}
        made = {left + right for left, right in pruned.merges}
        assert all(len(text) == 1 or text in made for text in pruned.vocab)
        assert {part for pair in pruned.merges for part in pair} <= pruned.vocab.keys()


def test_a_size_keeps_what_a_training_at_that_size_learns():
    words = [word for text in KOREAN for word in text.split()]
    old = train_bpe(counts_of(words), BpeTrainer(vocab_size=90))
    small = train_bpe(counts_of(words), BpeTrainer(vocab_size=60))
    pruned = prune_bpe(old.vocab, old.merges, 60)
    assert (pruned.vocab, pruned.merges) == (small.vocab, small.merges)


def test_text_of_kept_tokens_is_encoded_as_before():
    old = train_bpe(count_texts(ENGLISH + KOREAN, BYTES), BpeTrainer(vocab_size=420, special_tokens=["<s>"]))

    def tokenizer(vocab, merges):
        made = Tokenizer(BPE(dict(vocab), list(merges)))
        made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        return made

    before = tokenizer(old.vocab, old.merges)
    used = {token for text in KOREAN for token in before.encode(text).tokens}
    pruned = prune_bpe(old.vocab, old.merges, used, special_tokens=["<s>"])
    after = tokenizer(pruned.vocab, pruned.merges)
    assert len(pruned.vocab) < len(old.vocab)
    for text in KOREAN:
        assert after.encode(text).ids == [pruned.new_id_of[number] for number in before.encode(text).ids]
    assert pruned.vocab["<s>"] == pruned.new_id_of[old.vocab["<s>"]]


def test_an_entry_that_is_not_there_and_a_size_below_the_characters_are_refused():
    with pytest.raises(InputError, match="'나' is not in the vocabulary"):
        prune_bpe({"가": 0}, [], ["나"])
    with pytest.raises(InputError, match=r"allowed: 2 or more"):
        prune_bpe({"가": 0, "나": 1}, [], 1)


def test_of_a_number_those_used_least_go_and_parts_stay_with_what_is_made_of_them():
    vocab = {"a": 0, "b": 1, "c": 2, "ab": 3, "bc": 4, "abc": 5, "ca": 6}
    merges = [("a", "b"), ("b", "c"), ("ab", "c"), ("c", "a")]
    uses = {"abc": 9, "bc": 5, "ca": 5}
    assert list(prune_bpe(vocab, merges, 5, uses=uses).vocab) == ["a", "b", "c", "ab", "abc"]
    assert list(prune_bpe(vocab, merges, 6, uses=uses).vocab) == ["a", "b", "c", "ab", "bc", "abc"]
    # two rows for "abc" do not fit, one for "bc" does
    assert list(prune_bpe(vocab, merges, 4, uses=uses).vocab) == ["a", "b", "c", "bc"]
