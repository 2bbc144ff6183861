"""What a token may not be: the native rules against the slow twins, and their promises on Korean text."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from slow_bpe import slow_bpe
from slow_plain_bpe import slow_plain_bpe

from textpipe.core._native import grammar_step
from textpipe.core._text import script_of
from textpipe.core._word_counts import WordCounts
from textpipe.core.byte_alphabet import to_bytes, to_characters
from textpipe.trainers import BpeTrainer, WordCutter, count_texts, train_bpe

ALPHABETS = ("가각힣", "가나ab12", "한글KBS3!", "\u1112\u1161\u11abㅎh7", "é가😀９a", "ㅋㅋaa11 ")
TWINS = {"tokenizers": slow_bpe, "plain": slow_plain_bpe}


def kinds(text):
    """Which of Hangul, Latin and digits a text holds."""
    found = {script_of(c) for c in text} & {script_of("한"), script_of("a")}
    return len(found) + any(c in "0123456789０１２３４５６７８９" for c in text)


def whole(text, *, byte_level):
    """The text of a token, or None when it is part of a character; False when it is neither."""
    if not byte_level:
        return text
    data = to_bytes(text)
    try:
        return data.decode()
    except UnicodeDecodeError:
        lead, rest = data[0], data[1:] if data[0] >= 0xC0 else data
        needed = (lead >= 0xC0) + (lead >= 0xE0) + (lead >= 0xF0)
        is_part = all(0x80 <= byte < 0xC0 for byte in rest) and (lead < 0xC0 or len(rest) < needed)
        return None if is_part else False


def rule(trainer, byte_level):
    def may_be_token(text):
        as_text = whole(text, byte_level=byte_level)
        if as_text is False:
            return False
        return as_text is None or not trainer.scripts_apart or kinds(as_text) < 2

    return may_be_token


def case(seed):
    rng = random.Random(seed)
    alphabet = rng.choice(ALPHABETS)
    words = Counter()
    for _ in range(rng.choice([1, 4, 20, 60])):
        words["".join(rng.choice(alphabet) for _ in range(rng.randint(1, 7)))] += rng.choice([1, 1, 2, 5, 30])
    choice = rng.randrange(3)
    trainer = BpeTrainer(
        vocab_size=rng.choice([5, 10, 20, 40, 100, 1000]),
        show_progress=False,
        whole_characters=choice != 1,
        scripts_apart=choice != 0,
        compat=rng.choice(["tokenizers", "plain"]),
    )
    return words, trainer, rng.random() < 0.6


@pytest.mark.parametrize("first", range(0, 600, 100))
def test_random_corpora_train_as_by_the_slow_twins(first):
    for seed in range(first, first + 100):
        words, trainer, byte_level = case(seed)
        counts = WordCounts(byte_level=byte_level)
        for word, count in words.items():
            counts.add(word.encode(), count)
        spelled = {to_characters(word.encode()): count for word, count in words.items()} if byte_level else words
        trained = train_bpe(counts, trainer)
        twin = TWINS[trainer.compat](spelled, trainer, rule(trainer, byte_level))
        assert (trained.vocab, trained.merges) == twin, f"seed {seed}: {trainer}, byte level {byte_level}"


TEXTS = [
    "KBS2에서 9시뉴스를 봤다ㅋㅋ iPhone15를 샀다",
    "한글날은 10월9일이다. BTS가 왔다!",
    "２０２６년 e메일abc가나다",
] * 3


def tokens_of(byte_level, **rules):
    counts = count_texts(TEXTS, WordCutter(cutting=(grammar_step(0 if byte_level else 2),), byte_level=byte_level))
    vocab = train_bpe(counts, BpeTrainer(vocab_size=5000, show_progress=False, **rules)).vocab
    return [to_bytes(token) if byte_level else token.encode() for token in vocab]


@pytest.mark.parametrize("byte_level", [False, True])
def test_no_token_has_two_of_hangul_latin_and_digits(byte_level):
    free, apart = tokens_of(byte_level), tokens_of(byte_level, scripts_apart=True)
    assert any(kinds(token.decode("utf-8", "ignore")) > 1 for token in free)
    assert not any(kinds(token.decode("utf-8", "ignore")) > 1 for token in apart)
    assert {"시뉴스를".encode(), b"iPhone"} <= {token.strip() for token in apart}


def test_no_token_ends_inside_a_syllable_it_does_not_begin_in():
    def is_broken(token):
        text = token.decode("utf-8", "replace")
        return "\ufffd" in text and len(token) > 3

    assert any(is_broken(token) for token in tokens_of(True))
    assert not any(is_broken(token) for token in tokens_of(True, whole_characters=True))
