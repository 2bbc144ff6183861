"""A limit on memory: the same counts and vocabularies below it, a clear end where it cannot be kept, nothing left."""

from __future__ import annotations

import errno
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from textpipe.core._native import grammar_step
from textpipe.core._word_counts import NUM_PARTITIONS, WordCounts
from textpipe.errors import ConfigError, InputError, LimitError
from textpipe.files import calls
from textpipe.trainers import BpeTrainer, WordCutter, count_texts, spilling, train_bpe
from textpipe.trainers.footprint import WordSizes, training_bytes
from textpipe.trainers.memory import MemoryLimit, parse_bytes, resident_bytes

BYTE_LEVEL = WordCutter(cutting=(grammar_step(0),), byte_level=True)
SYLLABLES = [chr(c) for c in range(0xAC00, 0xAC00 + 400)]


def texts(num, seed=3):
    rng = random.Random(seed)
    return [" ".join("".join(rng.choices(SYLLABLES, k=rng.randint(1, 5))) for _ in range(12)) for _ in range(num)]


@pytest.fixture
def cramped(monkeypatch):
    """Room for so few words that nearly every chunk is written out."""
    monkeypatch.setattr(spilling, "_FIXED_BYTES", 0)
    monkeypatch.setattr(spilling, "_THREAD_BYTES", 0)
    monkeypatch.setattr("textpipe.trainers.counting._CHUNK_CHARS", 5000)

    def limit(room):
        free = MemoryLimit(resident_bytes() + (1 << 31))
        monkeypatch.setattr(MemoryLimit, "room", lambda self: room if self is free else 0)
        monkeypatch.setattr(spilling, "_LEAST_BYTES", 0)
        return free

    return limit


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("room", [0, 200_000, 1_000_000])
def test_counts_that_were_written_out_are_those_of_one_table(cramped, tmp_path, threads, room):
    lines = texts(3000)
    whole = count_texts(lines, BYTE_LEVEL, threads=1)
    written = count_texts(lines, BYTE_LEVEL, threads=threads, memory=cramped(room), scratch_folder=tmp_path)
    assert written.items() == whole.items()
    assert (len(written), written.num_bytes) == (len(whole), whole.num_bytes)
    assert list(tmp_path.iterdir()) == []


def test_something_is_written_out_when_room_runs_out(cramped, tmp_path, monkeypatch):
    sizes = []
    gather = spilling.SpillingCounts.gather

    def noted(self):
        sizes.append(self.num_bytes)
        gather(self)

    monkeypatch.setattr(spilling.SpillingCounts, "gather", noted)
    count_texts(texts(500), BYTE_LEVEL, memory=cramped(0), scratch_folder=tmp_path)
    assert sizes[0] > 10_000


def test_what_was_taken_and_given_back_is_what_was_there():
    counts = count_texts(texts(200), BYTE_LEVEL)
    before = counts.items()
    taken = [counts.take(partition) for partition in range(NUM_PARTITIONS)]
    assert len(counts) == 0
    for partition, records in enumerate(taken):
        counts.give_back(partition, records)
        counts.give_back(partition, records)
        counts.pack(partition)
    assert counts.items() == [(word, 2 * count) for word, count in before]


def test_packed_counts_can_still_be_added_to():
    counts = WordCounts()
    for word in ("가", "나" * 60, "다" * 3000, ""):
        counts.add(word.encode(), 3)
    larger = counts.memory_bytes
    counts.pack()
    assert counts.memory_bytes < larger
    for word in ("가", "나" * 60, "다" * 3000, "", "라"):
        counts.add(word.encode())
    assert dict(counts.items()) == {
        "가".encode(): 4, ("나" * 60).encode(): 4, ("다" * 3000).encode(): 4, b"": 4, "라".encode(): 1
    }  # fmt: skip


@pytest.mark.parametrize("cut", [1, 7, 8, 9, 10])
def test_records_that_are_cut_short_are_refused(cut):
    counts = WordCounts()
    counts.add("밥".encode())
    records = b"".join(counts.take(partition) for partition in range(NUM_PARTITIONS))
    with pytest.raises(InputError, match="damaged"):
        WordCounts().give_back(0, records[:cut])
    with pytest.raises(InputError, match="damaged"):
        WordCounts().give_back(0, records[:8] + b"\xff" * 30)
    with pytest.raises(InputError, match="no partition"):
        WordCounts().give_back(NUM_PARTITIONS, records)


def test_a_full_disk_while_writing_out_is_said_and_leaves_nothing(cramped, tmp_path, monkeypatch):
    class Full(calls.System):
        def write(self, descriptor, data):
            raise OSError(28, os.strerror(28))

    monkeypatch.setattr(calls, "system", Full())
    with pytest.raises(OSError, match=r"No space left .* need about \d+ MB in all: .* scratch_folder") as caught:
        count_texts(texts(500), BYTE_LEVEL, threads=2, memory=cramped(0), scratch_folder=tmp_path)
    assert caught.value.errno == errno.ENOSPC
    assert caught.value.filename == str(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_a_full_disk_lacks_is_told_by_the_share_of_the_text_that_was_read(cramped, tmp_path, monkeypatch):
    class Full(calls.System):
        def write(self, descriptor, data):
            raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    counts = WordCounts()
    for number in range(100_000):
        counts.add(b"%06d" % number)
    monkeypatch.setattr(calls, "system", Full())
    with (
        spilling.SpillingCounts(counts, cramped(0), threads=1, folder=tmp_path) as spilled,
        pytest.raises(OSError, match="need about 15 MB in all"),
    ):
        spilled.relieve(0.1)


def test_a_disk_that_gives_back_other_bytes_is_noticed(cramped, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "pread", lambda _descriptor, size, _offset: b"\1" * size)
    with pytest.raises(OSError, match="other bytes"):
        count_texts(texts(500), BYTE_LEVEL, memory=cramped(0), scratch_folder=tmp_path)


def test_a_killed_count_leaves_nothing_on_the_disk(tmp_path):
    code = f"""
import os, signal
from textpipe.core._native import grammar_step
from textpipe.trainers import WordCutter, count_texts, spilling
from textpipe.trainers.memory import MemoryLimit
spilling._LEAST_BYTES = 0
def kill(self):
    assert self.num_bytes > 0
    os.kill(os.getpid(), signal.SIGKILL)
spilling.SpillingCounts.gather = kill
init = spilling.SpillingCounts.__init__
def cramped(self, *row, **facts):
    init(self, *row, **facts)
    self._room = 0
spilling.SpillingCounts.__init__ = cramped
cutter = WordCutter(cutting=(grammar_step(0),), byte_level=True)
count_texts(["밥을 먹었다"] * 1000, cutter, memory=MemoryLimit(1 << 33), scratch_folder={str(tmp_path)!r})
"""
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == -9
    assert list(tmp_path.iterdir()) == []


TRAIN = """
import sys, hashlib, json
from textpipe.core._native import grammar_step
from textpipe.trainers import BpeTrainer, WordCutter, count_files, train_bpe
from textpipe.trainers.footprint import WordSizes, training_bytes
from textpipe.trainers.memory import MemoryLimit, resident_bytes
limit = MemoryLimit.of(sys.argv[2]) if sys.argv[2] else None
base = resident_bytes()
counts = count_files(sys.argv[1], WordCutter(cutting=(grammar_step(0),), byte_level=True), threads=2, memory=limit,
                     scratch_folder=sys.argv[3])
trainer = BpeTrainer(vocab_size=2000, show_progress=False, compat=sys.argv[4])
need = training_bytes(trainer, WordSizes.of(counts))
trained = train_bpe(counts, trainer, release=True, progress=limit and limit.guarded(None))
# not ru_maxrss, which begins at what the process that started this one held
peak = int(open("/proc/self/status").read().partition("VmHWM:")[2].split()[0]) * 1024
digest = hashlib.sha256(json.dumps([trained.vocab, trained.merges]).encode()).hexdigest()
print(digest, peak, base, need)
"""


def train(file: Path, limit: str, scratch: Path, compat: str = "tokenizers"):
    command = [sys.executable, "-c", TRAIN, str(file), limit, str(scratch), compat]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return done, done.stdout.split()


def test_the_memory_of_merges_by_likelihood_is_told(tmp_path):
    file = tmp_path / "many.txt"
    file.write_text("\n".join(texts(40_000)), encoding="utf-8")
    _, free = train(file, "", tmp_path, "likelihood")
    peak, base, need = (int(number) for number in free[1:])
    assert need * 0.75 < peak - base < need * 1.25 + 20_000_000


UNIGRAM = """
import sys
from textpipe.core._native import grammar_step
from textpipe.trainers import UnigramTrainer, WordCutter, count_files, train_unigram
from textpipe.trainers.footprint import WordSizes, training_bytes
from textpipe.trainers.memory import resident_bytes
base = resident_bytes()
counts = count_files(sys.argv[1], WordCutter(cutting=(grammar_step(2),)), threads=2)
trainer = UnigramTrainer(vocab_size=2000, unk_token="<unk>", show_progress=False)
need = training_bytes(trainer, WordSizes.of(counts))
train_unigram(counts, trainer, release=True, threads=2)
print(int(open("/proc/self/status").read().partition("VmHWM:")[2].split()[0]) * 1024 - base, need)
"""


@pytest.mark.parametrize("syllables", [SYLLABLES, "etaoinshrdlu"])
def test_the_memory_of_a_unigram_training_is_told_by_its_characters(tmp_path, syllables):
    file = tmp_path / "many.txt"
    rng = random.Random(5)
    words = ("".join(rng.choices(syllables, k=rng.randint(3, 9))) for _ in range(100_000))
    file.write_text("\n".join(words), encoding="utf-8")
    command = [sys.executable, "-c", UNIGRAM, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    took, need = (int(number) for number in done.stdout.split())
    assert need * 0.75 < took < need * 1.25 + 10_000_000


def test_a_training_under_a_limit_keeps_it_and_gives_the_same_vocabulary(tmp_path):
    file = tmp_path / "many.txt"
    file.write_text("\n".join(texts(40_000)), encoding="utf-8")
    _, free = train(file, "", tmp_path)
    peak, base, need = (int(number) for number in free[1:])
    assert need * 0.75 < peak - base < need * 1.25 + 20_000_000  # of which text on its way takes its part
    for limit in (peak + 6_000_000, peak - 8_000_000):
        done, held = train(file, str(limit), tmp_path)
        if done.returncode == 0:
            assert held[0] == free[0]
            assert int(held[1]) <= limit
        else:
            assert limit < peak, done.stderr
            assert "LimitError" in done.stderr
        assert list(tmp_path.iterdir()) == [file]


PASS_A_LIMIT_AND_RETURN = """
from textpipe.errors import LimitError
from textpipe.trainers.memory import MemoryLimit, resident_bytes
limit = MemoryLimit(resident_bytes() + 20_000_000)
limit.check("nothing")
bytearray(b"x" * 40_000_000)
assert resident_bytes() < limit.num_bytes
MemoryLimit(limit.num_bytes).check("what came before the limit")
try:
    limit.check("work")
except LimitError as error:
    print(error)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not say what was held most")
def test_a_limit_that_was_passed_between_two_looks_is_told():
    done = subprocess.run(
        [sys.executable, "-c", PASS_A_LIMIT_AND_RETURN], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.startswith("work took ")


def test_a_training_that_passes_the_limit_stops_with_what_would_do():
    counts = count_texts(texts(300), BYTE_LEVEL)
    with pytest.raises(LimitError, match=r"took [\d,]+ MB under a memory limit of 10 MB\. allow [\d,]+ MB"):
        train_bpe(counts, BpeTrainer(vocab_size=400), progress=MemoryLimit.of("10MB").guarded(None))


def test_a_limit_with_no_room_to_count_in_is_refused_at_once():
    with pytest.raises(LimitError, match=r"counting words needs about \d+ MB and 0 MB are left"):
        count_texts(["가"], BYTE_LEVEL, memory=MemoryLimit.of("10MB"))


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("200MB", 200_000_000),
        ("0.5 gib", 1 << 29),
        ("1157439488", 1157439488),
        ("77", 77),
        ("3k", 3000),
        ("1TB", 10**12),
    ],
)
def test_sizes_are_read_with_their_units(text, size):
    assert parse_bytes(text) == size


@pytest.mark.parametrize("text", ["", "MB", "-3MB", "3 apples", "1e9", "200MBB", "٣MB"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(ConfigError, match="is no size"):
        parse_bytes(text)


def test_a_limit_of_nothing_is_refused():
    with pytest.raises(ConfigError, match="holds nothing"):
        MemoryLimit.of(0)
    assert MemoryLimit.of(None) is None
    ten = WordSizes(10, 10, 10)
    assert training_bytes(BpeTrainer(vocab_size=100_000), ten) > training_bytes(BpeTrainer(), ten)
