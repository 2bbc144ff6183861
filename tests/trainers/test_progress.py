"""What trainers report: every phase ends with all of it done."""

from __future__ import annotations

import pytest

from textpipe.core._word_counts import WordCounts
from textpipe.models import BPE, Unigram, WordPiece
from textpipe.trainers import (
    BpeTrainer,
    ParityBpeTrainer,
    UnigramTrainer,
    WordPieceTrainer,
    extend_bpe,
    fit,
    read_sentences,
    train_parity_bpe,
    train_unigram,
)

TEXT = "밥을 먹고 밥을 짓고 한글 \u1112\u1161\u11ab글 갂다ㅋㅋㅋㅋㅋ ㅋㅋㅋ the ferries ferry ㅠㅠ;;ㅎㅎ 学校에"
BPE_TRAINERS = [
    BpeTrainer(vocab_size=50),
    BpeTrainer(vocab_size=50, compat="plain"),
    BpeTrainer(vocab_size=50, compat="likelihood"),
    BpeTrainer(vocab_size=55, continuing_subword_prefix="##", max_token_length=9),
]


class Reports:
    def __init__(self):
        self.last = {}

    def __call__(self, phase, done, total=None, **facts):
        self.last[phase] = (done, total)


def counts_of(words):
    counts = WordCounts()
    for number, word in enumerate(words):
        counts.add(word.encode(), number + 1)
    return counts


@pytest.mark.parametrize("trainer", BPE_TRAINERS, ids=repr)
def test_a_byte_pair_training_ends_with_every_phase_done(trainer):
    reports = Reports()
    fit(BPE(), counts_of(TEXT.split()), trainer, progress=reports)
    assert {"count pairs", "merge"} <= reports.last.keys()
    for phase, (done, total) in reports.last.items():
        assert done == total > 0, phase


def test_word_piece_parity_and_extension_end_with_every_phase_done():
    counts = counts_of(TEXT.split())
    reports = [Reports() for _ in range(3)]
    fit(WordPiece(unk_token="[UNK]"), counts, WordPieceTrainer(vocab_size=55), progress=reports[0])
    train_parity_bpe([counts, counts], ParityBpeTrainer(num_merges=5), progress=reports[1])
    extend_bpe({"밥": 0, "을": 1, "밥을": 2}, [("밥", "을")], counts, BpeTrainer(vocab_size=50), progress=reports[2])
    for report in reports:
        for phase, (done, total) in report.last.items():
            assert done == total > 0, phase


@pytest.mark.parametrize("from_sentences", [False, True])
def test_an_estimation_ends_with_every_phase_done(from_sentences):
    words = TEXT.split()
    text = read_sentences(words * 3) if from_sentences else counts_of(words)
    reports = Reports()
    trainer = UnigramTrainer(vocab_size=60, unk_token="<unk>")
    train_unigram(text, trainer, progress=reports)
    assert reports.last["order words"][0] == len(text)
    for phase in ("find seed pieces", "estimate"):
        assert reports.last[phase][0] == reports.last[phase][1] > 0, phase
    assert isinstance(fit(Unigram(), counts_of(words), trainer), Unigram)
