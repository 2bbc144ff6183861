"""Parity against corpora whose answer to a share is known, and a training that looks for it."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from textpipe.core._word_counts import WordCounts
from textpipe.trainers import TrainingState
from textpipe.vocabulary import VocabConfig, train_vocabulary
from textpipe.vocabulary.parity import TOLERANCE, find_parity

WORDS = {"ko": "밥을", "en": "rice", "de": "Reis"}
TEXTS = {name: [word * 50_000] for name, word in WORDS.items()}


class Answer:
    """Stands for a tokenizer: bytes a token go by a power of the share."""

    def __init__(self, weighed, fits, power):
        sizes = {word.decode(): len(word) * count for word, count in weighed.items()}
        total = sum(sizes.values())
        self.per_token = {word[:2]: 0.0 for word in sizes}
        for name, word in WORDS.items():
            if word in sizes:
                self.per_token[word[:2]] = fits[name] * (sizes[word] / total) ** power

    def encode_to_numpy(self, texts, *, add_special_tokens):
        num_bytes = sum(len(text.encode()) for text in texts)
        return np.zeros(round(num_bytes / self.per_token[texts[0][:2]])), None


def counts_of(names):
    counts = {name: WordCounts() for name in names}
    for name in names:
        counts[name].add(WORDS[name].encode(), 1000)
    return counts


def look_for(fits, power, *, state=None, seen=None, stop_at=None):
    def train(weighed, number):
        if number == stop_at:
            raise KeyboardInterrupt
        if seen is not None:
            seen.append(number)
        return Answer(weighed, fits, power)

    return find_parity(counts_of(fits), {name: TEXTS[name] for name in fits}, train, state=state)


@pytest.mark.parametrize("power", [0.04, 0.1, 0.3])
@pytest.mark.parametrize(
    "fits", [{"ko": 3.9, "en": 3.0}, {"ko": 3.0, "en": 3.3, "de": 3.1}, {"ko": 2.0, "en": 2.0}], ids=str
)
def test_corpora_that_answer_by_a_power_meet_within_the_tolerance(fits, power):
    found = look_for(fits, power)
    assert found.gap <= TOLERANCE
    assert sum(found.shares.values()) == 1


def test_corpora_that_cannot_meet_end_after_twelve_rounds_with_the_nearest():
    seen: list[int] = []
    found = look_for({"ko": 9.0, "en": 1.0}, 0.001, seen=seen)
    assert len(seen) <= 12
    assert found.shares["ko"] < Fraction(1, 100)


def test_rounds_that_were_interrupted_go_on_where_they_were(tmp_path):
    fits = {"ko": 4.9, "en": 2.9}
    whole = look_for(fits, 0.1)
    with pytest.raises(KeyboardInterrupt):
        look_for(fits, 0.1, state=TrainingState(tmp_path / "rounds", "key"), stop_at=3)
    seen: list[int] = []
    assert look_for(fits, 0.1, state=TrainingState(tmp_path / "rounds", "key"), seen=seen) == whole
    assert seen[0] == 3
    seen.clear()
    assert look_for(fits, 0.1, state=TrainingState(tmp_path / "rounds", "key"), seen=seen) == whole
    assert seen == []


def test_a_training_stopped_between_rounds_gives_the_same_files_and_leaves_nothing(tmp_path):
    ko, en = tmp_path / "ko.txt", tmp_path / "en.txt"
    ko.write_text("밥을 먹고 학교에 갔다가 집에 왔다\n물을 마시고 잠을 잤다 ㅋㅋㅋ\n" * 40, encoding="utf-8")
    en.write_text("the ferry is late again and the rain has not stopped\n" * 40, encoding="utf-8")
    inputs, config = [f"ko={ko}", f"en={en}"], VocabConfig(vocab_size=330, weights="parity")
    whole = train_vocabulary(inputs, tmp_path / "whole", config)

    def stop(phase, done, *_, **__):
        if phase == "parity" and done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_vocabulary(inputs, tmp_path / "again", config, progress=stop)
    again = train_vocabulary(inputs, tmp_path / "again", config)
    assert again.tokenizer.to_str() == whole.tokenizer.to_str()
    assert again.counts["parity"] == whole.counts["parity"]
    assert set(again.counts["parity"]["shares"]) == {"ko", "en"}
    assert "## Parity of the corpora" in (tmp_path / "again" / "README.md").read_text(encoding="utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again", "en.txt", "ko.txt", "whole"]
