"""Trainings that are stopped or killed and go on: what comes out is what comes out of one that never stopped."""

from __future__ import annotations

import hashlib
import itertools
import random
import time
from collections import Counter

import pytest
from random_corpora import random_case

from tests.trainers.sentencepiece_oracle import random_lines
from textpipe.core._word_counts import WordCounts
from textpipe.errors import FormatError, StateError
from textpipe.files import calls
from textpipe.trainers import (
    BpeTrainer,
    SentencePieceBpeTrainer,
    SentenceReader,
    TrainingState,
    UnigramTrainer,
    extend_bpe,
    read_sentences,
    rhythm,
    train_bpe,
    train_bpe_ladder,
    train_sentencepiece_bpe,
    train_unigram,
    training_state,
)

SPECIAL = ("<unk>", "<s>", "</s>")
TEXT = "밥을 먹고 밥을 짓고 한글 \u1112\u1161\u11ab글 갂다ㅋㅋㅋㅋㅋ ㅋㅋㅋ ㅋㅋ the ferries ferry ㅠㅠ;;ㅎㅎ 学校에"
KOREAN = TEXT.split()


class Stop(Exception):
    pass


@pytest.fixture(autouse=True)
def _saves_after_every_step(monkeypatch):
    monkeypatch.setattr(rhythm, "_SAVE_EVERY_S", 0.0)
    monkeypatch.setattr(rhythm, "_LEAST_RATIO", 0)
    monkeypatch.setattr(calls.system, "fsync", lambda descriptor: None)


def counts_of(words, *, byte_level=False):
    counts = WordCounts(byte_level=byte_level)
    words = list(words)
    for word, count in sorted(Counter(words).items(), key=lambda row: hash((row, random.random()))):
        counts.add(word.encode(), count)
    return counts


def stop_after(num_reports, phase):
    left = [num_reports]

    def progress(now, *_row, **_facts):
        left[0] -= now == phase
        if left[0] < 0:
            raise Stop

    return progress


def stopped_and_resumed(path, train, phase, stops):
    """What ``train(state, progress)`` gives when it is stopped again and again."""
    for reports in stops:
        try:
            return train(TrainingState(path, "key"), stop_after(reports, phase))
        except Stop:
            continue
    return train(TrainingState(path, "key"), None)


def settings_of(seed, compat):
    words, arguments = random_case(seed)
    if compat != "tokenizers":
        arguments.pop("max_token_length", None)
    if random.Random(seed).random() < 0.3 and "continuing_subword_prefix" not in arguments:
        arguments["scripts_apart"] = compat == "tokenizers"
    return words, BpeTrainer(show_progress=False, compat=compat, **arguments)


@pytest.mark.parametrize("compat", ["tokenizers", "plain", "likelihood"])
@pytest.mark.parametrize("saves_at_stop", [True, False])
def test_merges_that_were_stopped_anywhere_go_on_to_the_same_vocabulary(tmp_path, monkeypatch, compat, saves_at_stop):
    monkeypatch.setattr(rhythm, "_AT_STOP_S", 1e9 if saves_at_stop else -1.0)
    for seed in range(100 if saves_at_stop else 40):
        words, trainer = settings_of(seed, compat)
        whole = train_bpe(counts_of(words), trainer)
        stops = random.Random(seed).sample(range(2, 40), 4)
        path = tmp_path / f"{seed}.training"

        def train(state, progress, words=words, trainer=trainer):
            return train_bpe(counts_of(words), trainer, state=state, progress=progress)

        assert stopped_and_resumed(path, train, "merge", stops) == whole, f"seed {seed}: {trainer}"


@pytest.mark.parametrize("byte_level", [True, False])
def test_korean_goes_on_after_every_merge(tmp_path, byte_level):
    trainer = BpeTrainer(vocab_size=400, show_progress=False)
    whole = train_bpe(counts_of(KOREAN * 2, byte_level=byte_level), trainer)
    for reports in range(1, len(whole.merges)):
        path = tmp_path / f"{reports}.training"
        with pytest.raises(Stop):
            train_bpe(
                counts_of(KOREAN * 2, byte_level=byte_level),
                trainer,
                state=TrainingState(path, "key"),
                progress=stop_after(reports, "merge"),
            )
        again = counts_of(KOREAN * 2, byte_level=byte_level)
        assert train_bpe(again, trainer, state=TrainingState(path, "key"), release=True) == whole


def test_a_saving_at_a_stop_that_takes_long_is_given_up_and_what_was_saved_before_stays(tmp_path, monkeypatch):
    trainer = BpeTrainer(vocab_size=400, show_progress=False)
    path = tmp_path / "a.training"

    seen = []
    stop = stop_after(9, "merge")

    def progress(*row, **facts):
        seen.append(path.read_bytes() if path.exists() else None)  # saved after the step before, not at the stop
        stop(*row, **facts)

    def train(progress=None):
        return train_bpe(counts_of(KOREAN * 2), trainer, state=TrainingState(path, "key"), progress=progress)

    monkeypatch.setattr(rhythm.Rhythm, "is_too_long_at_stop", lambda _: True)
    with pytest.raises(Stop):
        train(progress)
    assert path.read_bytes() == seen[-1]
    assert list(tmp_path.iterdir()) == [path]
    assert train() == train_bpe(counts_of(KOREAN * 2), trainer)


def test_what_was_merged_is_not_merged_again(tmp_path, monkeypatch):
    monkeypatch.setattr(rhythm, "_AT_STOP_S", 1e9)
    trainer = BpeTrainer(vocab_size=400, show_progress=False)
    with pytest.raises(Stop):
        train_bpe(
            counts_of(KOREAN), trainer, state=TrainingState(tmp_path / "a", "key"), progress=stop_after(9, "merge")
        )
    rows = []
    state = TrainingState(tmp_path / "a", "key")
    train_bpe(counts_of(KOREAN), trainer, state=state, progress=lambda *row, **_: rows.append(row))
    assert "count pairs" not in {row[0] for row in rows}
    assert next(row[1] for row in rows if row[0] == "merge" and row[1]) >= 8


def test_a_ladder_and_a_vocabulary_that_grows_go_on(tmp_path):
    trainer = BpeTrainer(show_progress=False)
    whole = train_bpe_ladder(counts_of(KOREAN), trainer, [90, 70])
    old = train_bpe(counts_of(KOREAN[:9]), BpeTrainer(vocab_size=40, show_progress=False))
    grown = extend_bpe(old.vocab, old.merges, counts_of(KOREAN), BpeTrainer(vocab_size=80))

    def ladder(state, progress):
        return train_bpe_ladder(counts_of(KOREAN), trainer, [90, 70], state=state, progress=progress)

    def extend(state, progress):
        words = counts_of(KOREAN)
        return extend_bpe(old.vocab, old.merges, words, BpeTrainer(vocab_size=80), state=state, progress=progress)

    assert stopped_and_resumed(tmp_path / "a", ladder, "merge", [5, 9]) == whole
    assert stopped_and_resumed(tmp_path / "b", extend, "merge", [5, 9]) == grown


def test_an_attempt_that_began_anew_is_gone_on_with_as_what_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr(rhythm, "_SAVE_EVERY_S", 1e9)  # only at the stop
    # "##abc" is three symbols after another letter, five where it begins a word: more such tokens than a cell tells
    endings = ["".join(letters) for letters in itertools.product("abcdefghijklmnopqrst", repeat=3)][:7900]
    counts = WordCounts()
    for number, ending in enumerate(endings):
        counts.add((chr(0xAC00 + number) + ending).encode(), 5)
        counts.add(("##" + ending).encode(), 3)
    trainer = BpeTrainer(vocab_size=61_400, continuing_subword_prefix="##", show_progress=False)
    began: list[str] = []

    def watch(phase, done, *_, **__):
        if done == 0:
            began.append(phase)
        if began.count("lay out words") == 2 and phase == "merge":
            if done > 0:
                raise Stop
            until = time.monotonic() + 0.1  # longer than there is between two reports: one comes among the merges
            while time.monotonic() < until:
                pass

    whole = train_bpe(counts, trainer)
    with pytest.raises(Stop):
        train_bpe(counts, trainer, state=TrainingState(tmp_path / "a", "key"), progress=watch)
    began.clear()
    assert train_bpe(counts, trainer, state=TrainingState(tmp_path / "a", "key"), progress=watch) == whole
    assert began.count("lay out words") == 1
    assert "count pairs" not in began


def test_pieces_of_sentencepiece_go_on(tmp_path):
    for seed in range(30):
        lines = random_lines(seed)
        room = 3 + len(set("".join(lines))) + 1 + random.Random(seed).randint(0, 40)
        pairs = SentencePieceBpeTrainer(vocab_size=room, hard_vocab_limit=False, show_progress=False)
        unigrams = UnigramTrainer(
            vocab_size=room, special_tokens=SPECIAL, unk_token="<unk>", compat="sentencepiece", show_progress=False
        )
        for trainer, train, phase in (
            (pairs, train_sentencepiece_bpe, "merge"),
            (unigrams, train_unigram, "estimate"),
        ):

            def run(state, progress, train=train, trainer=trainer, lines=lines):
                sentences = read_sentences(lines, SentenceReader(reserved=SPECIAL))
                return train(sentences, trainer, state=state, progress=progress)

            try:
                whole = run(None, None)
            except ValueError:
                continue
            path = tmp_path / f"{seed}.{phase}"
            assert stopped_and_resumed(path, run, phase, [1, 2, 3, 5]) == whole, f"seed {seed}"


def test_rounds_of_estimation_go_on_bit_for_bit_with_other_threads(tmp_path):
    rng = random.Random(7)
    lines = [" ".join(rng.choice(KOREAN) + rng.choice(KOREAN) for _ in range(6)) for _ in range(200)]
    trainer = UnigramTrainer(vocab_size=90, unk_token="<unk>", show_progress=False, shrinking_factor=0.9)
    words = " ".join(lines).split()
    whole = train_unigram(counts_of(words), trainer, threads=2)
    reports = []
    train_unigram(counts_of(words), trainer, threads=1, progress=lambda phase, *_, **__: reports.append(phase))

    def run(state, progress):
        return train_unigram(counts_of(words), trainer, threads=rng.choice([1, 2, 4]), state=state, progress=progress)

    for number in range(2, 12):
        path = tmp_path / f"{number}"
        assert stopped_and_resumed(path, run, "estimate", [number, number]) == whole
    assert path.exists()


# ---- states that cannot be gone on from


@pytest.fixture
def kept(tmp_path):
    path = tmp_path / "ko.training"
    with pytest.raises(Stop):
        learn(path, "key", progress=stop_after(9, "merge"))
    return path


def learn(path, key, words=KOREAN, **arguments):
    trainer = BpeTrainer(vocab_size=400, show_progress=False)
    return train_bpe(counts_of(words), trainer, state=TrainingState(path, key), **arguments)


def test_a_state_of_another_training_is_refused_and_kept(kept):
    before = kept.read_bytes()
    with pytest.raises(StateError, match="other texts or other settings") as caught:
        learn(kept, "other")
    assert str(kept) in str(caught.value)
    assert kept.read_bytes() == before


def test_a_state_with_any_byte_changed_or_cut_is_refused(kept):
    data = kept.read_bytes()
    for at in range(0, len(data), 997):
        kept.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        with pytest.raises(FormatError):
            learn(kept, "key")
        kept.write_bytes(data[:at])
        with pytest.raises(FormatError):
            learn(kept, "key")


def test_a_state_of_other_words_under_the_same_key_is_refused(kept):
    with pytest.raises(StateError, match="other words or other settings"):
        learn(kept, "key", words=KOREAN[1:])


def test_content_that_cannot_be_never_leads_out_of_the_arrays(kept, monkeypatch):
    """With a checksum that fits: either it is refused, or something comes out."""
    data = kept.read_bytes()
    head = len(training_state.MAGIC) + 32
    rng = random.Random(5)
    refused = 0
    for _ in range(400):
        changed = bytearray(data[:-32])
        at = rng.randrange(head, len(changed))
        changed[at : at + rng.choice([1, 2, 4, 8])] = rng.choice(
            [b"\xff", b"\0", b"\xff" * 8, bytes([rng.randrange(256)])]
        )
        kept.write_bytes(bytes(changed) + hashlib.sha256(changed).digest())
        try:
            learn(kept, "key")
        except (StateError, UnicodeDecodeError, MemoryError):
            refused += 1
    assert refused > 100


def test_a_disk_that_is_full_stops_the_training_and_keeps_the_state_before(kept, monkeypatch):
    whole = learn(kept.with_name("other"), "key")
    before = kept.read_bytes()

    def no_space(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(calls.system, "write", no_space)
        with pytest.raises(OSError, match="No space left"):
            learn(kept, "key")
    assert kept.read_bytes() == before
    assert [path.name for path in kept.parent.iterdir() if path.name.endswith(".tmp")] == []
    assert learn(kept, "key") == whole
