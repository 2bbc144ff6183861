"""Long merges shared by several threads: what is learned is what one thread learns."""

from __future__ import annotations

import itertools
import random
import subprocess
import sys

import pytest

from textpipe.core._word_counts import WordCounts
from textpipe.errors import ConfigError
from textpipe.trainers import (
    BpeTrainer,
    SentencePieceBpeTrainer,
    WordPieceTrainer,
    train_bpe,
    train_sentencepiece_bpe,
    train_word_piece,
)

THREADS = [2, 3, 8, 20]


def words_of_few_characters(characters, longest, most):
    """So many distinct words that the places of their pairs are worth sharing, and pairs overlap ("abab", "aaa")."""
    chance = random.Random(11)
    every = ["".join(w) for n in range(1, longest + 1) for w in itertools.product(characters, repeat=n)]
    return {word: chance.choice([1, 1, 1, 2, 3, 7, 40, 5000]) for word in chance.sample(every, min(most, len(every)))}


CORPORA = {
    "two letters": words_of_few_characters("ab", 12, 8000),
    "one letter in runs": {**words_of_few_characters("ab", 8, 500), **{"a" * n: 3 for n in range(1, 300)}},
    "syllables": words_of_few_characters("가나다라마", 6, 9000),
    "a word of 40,000 letters among short ones": {
        "".join(random.Random(3).choices("abc", k=40_000)): 2,
        **words_of_few_characters("abc", 5, 300),
    },
    "jamo and Latin": words_of_few_characters("ᄒ\u1161ab", 7, 9000),
}


def counts_of(words, *, byte_level=False):
    counts = WordCounts(byte_level=byte_level)
    for word, count in words.items():
        counts.add(word.encode(), count)
    return counts


@pytest.mark.parametrize("compat", ["tokenizers", "plain"])
@pytest.mark.parametrize("byte_level", [False, True])
@pytest.mark.parametrize("name", CORPORA)
def test_merges_are_the_same_for_any_number_of_threads(name, byte_level, compat):
    counts = counts_of(CORPORA[name], byte_level=byte_level)
    trainer = BpeTrainer(vocab_size=600, compat=compat, show_progress=False)
    alone = train_bpe(counts, trainer, threads=1)
    assert len(alone.merges) > 100
    for threads in THREADS:
        assert train_bpe(counts, trainer, threads=threads) == alone, threads


@pytest.mark.parametrize(
    "settings", [{"continuing_subword_prefix": "##"}, {"max_token_length": 4}, {"limit_alphabet": 2}]
)
@pytest.mark.parametrize("name", CORPORA)
def test_merges_under_settings_are_the_same_for_any_number_of_threads(name, settings):
    counts = counts_of(CORPORA[name])
    trainer = BpeTrainer(vocab_size=300, show_progress=False, **settings)
    alone = train_bpe(counts, trainer, threads=1)
    assert all(train_bpe(counts, trainer, threads=threads) == alone for threads in THREADS)


@pytest.mark.parametrize("name", CORPORA)
def test_pieces_are_the_same_for_any_number_of_threads(name):
    counts = counts_of({"\u2581" + word: count for word, count in CORPORA[name].items()})
    trainer = SentencePieceBpeTrainer(vocab_size=300, hard_vocab_limit=False)
    alone = train_sentencepiece_bpe(counts, trainer, threads=1)
    assert all(train_sentencepiece_bpe(counts, trainer, threads=threads) == alone for threads in THREADS)
    word_piece = WordPieceTrainer(vocab_size=300, show_progress=False)
    alone = train_word_piece(counts, word_piece, threads=1)
    assert all(train_word_piece(counts, word_piece, threads=threads) == alone for threads in THREADS)


@pytest.mark.parametrize("name", ["two letters", "syllables"])
def test_shared_merges_are_those_of_tokenizers(name):
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    words = {word: min(count, 7) for word, count in CORPORA[name].items()}
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    texts = [" ".join([word] * count) for word, count in words.items()]
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=600, show_progress=False))
    assert train_bpe(counts_of(words), BpeTrainer(vocab_size=600), threads=4).vocab == tokenizer.get_vocab()


def test_many_ids_are_shared_by_hashed_pairs():
    chance = random.Random(5)
    syllables = [chr(0xAC00 + 7 * n) for n in range(1200)]
    words = {"".join(chance.choices(syllables[: 2 + n % 1199], k=5)): 1 + n % 50 for n in range(6000)}
    counts = counts_of(words)
    trainer = BpeTrainer(vocab_size=3000, show_progress=False)
    alone = train_bpe(counts, trainer, threads=1)
    assert all(train_bpe(counts, trainer, threads=threads) == alone for threads in THREADS)


def test_what_stops_a_shared_training_comes_out_of_it():
    counts = counts_of(CORPORA["syllables"])

    def stop(phase, *_row, **_facts):
        if phase == "merge":
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        train_bpe(counts, BpeTrainer(vocab_size=600), threads=4, progress=stop)


CROWDED = """
import resource
from textpipe.core._word_counts import WordCounts
from textpipe.trainers import BpeTrainer, train_bpe
counts = WordCounts()
for number in range(3000):
    counts.add(f"{number:b}".encode())
trainer = BpeTrainer(vocab_size=400, show_progress=False)
alone = train_bpe(counts, trainer, threads=1)
size = int(open("/proc/self/status").read().partition("VmSize:")[2].split()[0]) << 10
resource.setrlimit(resource.RLIMIT_AS, (size + (20 << 20), -1))  # for the stacks of two threads
assert train_bpe(counts, trainer, threads=8) == alone
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks /proc for the size of the process")
def test_where_the_system_gives_fewer_threads_those_merge():
    done = subprocess.run([sys.executable, "-c", CROWDED], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("threads", [0, -1, 1 << 20])
def test_a_number_of_threads_that_cannot_work_is_refused(threads):
    with pytest.raises(ConfigError, match="threads cannot work"):
        train_bpe(counts_of({"ab": 1}), BpeTrainer(), threads=threads)
