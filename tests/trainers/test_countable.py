"""Counts near the end of 64 bits: every trainer refuses those whose sums could pass it, and learns from the others."""

from __future__ import annotations

import pytest

from textpipe.core._word_counts import WordCounts
from textpipe.errors import LimitError
from textpipe.models import BPE, Unigram, WordPiece
from textpipe.trainers import (
    BpeTrainer,
    ParityBpeTrainer,
    UnigramTrainer,
    WordPieceTrainer,
    extend_bpe,
    fit,
    train_parity_bpe,
)

MOST = 2**63 - 1  # is a multiple of 7, which the words below have as bytes
TRAINERS = [
    (BPE(), BpeTrainer(vocab_size=9, show_progress=False)),
    (BPE(), BpeTrainer(vocab_size=9, show_progress=False, compat="plain")),
    (BPE(), BpeTrainer(vocab_size=9, show_progress=False, compat="likelihood")),
    (WordPiece(unk_token="a"), WordPieceTrainer(vocab_size=12, show_progress=False)),
    (Unigram(), UnigramTrainer(vocab_size=9, unk_token="<unk>", show_progress=False)),
]


def counts_of(words, *, byte_level=False):
    counts = WordCounts(byte_level=byte_level)
    for word, count in words.items():
        counts.add(word.encode(), count)
    return counts


def learned(model):
    return model.to_dict()["vocab"]


@pytest.mark.parametrize(("model", "trainer"), TRAINERS, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("byte_level", [False, True])
def test_words_whose_parts_pass_63_bits_are_refused_and_one_less_is_not(model, trainer, byte_level):
    words = {"밥abab": MOST // 7}
    for extra in ({"x": 1}, {"밥": 2**62}):
        with pytest.raises(LimitError, match=r"could pass 2\^63 - 1"):
            fit(model, counts_of(words | extra, byte_level=byte_level), trainer)
    made = learned(fit(model, counts_of(words), trainer))
    few = learned(fit(model, counts_of({"밥abab": 1000}), trainer))
    pieces = [list(vocab) if isinstance(vocab, dict) else sorted(piece for piece, _ in vocab) for vocab in (made, few)]
    assert pieces[0] == pieces[1]


def test_languages_count_together():
    trainer = ParityBpeTrainer(num_merges=5, show_progress=False)
    half = counts_of({"밥abab": MOST // 14})
    assert train_parity_bpe([half, half], trainer).merges[0] == ("a", "b")
    more = counts_of({"밥abab": MOST // 14 + 2})
    with pytest.raises(LimitError, match="count fewer texts"):
        train_parity_bpe([half, more], trainer)
    with pytest.raises(LimitError, match="count fewer texts"):
        train_parity_bpe([counts_of({"밥": 1})] * 2, trainer, [half, more])


def test_a_vocabulary_is_not_extended_by_words_that_cannot_be_counted():
    counts = counts_of({"abababab": 2**61, "밥물밥물": 2**61})
    with pytest.raises(LimitError):
        extend_bpe({"a": 0, "b": 1, "ab": 2}, [("a", "b")], counts, BpeTrainer(vocab_size=10, show_progress=False))
