"""Counting that is stopped and taken up again: the same counts, wherever it was stopped."""

from __future__ import annotations

import errno
import gzip
import json

import pytest

from textpipe.core._native import grammar_step
from textpipe.core._word_counts import NUM_PARTITIONS, WordCounts
from textpipe.errors import FormatError, StateError
from textpipe.trainers import MemoryLimit, WordCutter, count_files, counting, counting_state, rhythm, spilling
from textpipe.trainers.counting_state import CountingState
from textpipe.trainers.memory import resident_bytes

GPT2 = 0
CUTTER = WordCutter(cutting=(grammar_step(GPT2),), byte_level=True, settings="{}")
LINES = [f"밥을 {n % 37}번 먹었다ㅋㅋ \u1112\u1161\u11ab{n % 11} the ferry\n" for n in range(900)]


def ample():
    """A limit with room for all of this, whatever the process has taken before."""
    return MemoryLimit.of(resident_bytes() + (1 << 30))


class Stop(Exception):
    pass


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.setattr(counting, "_CHUNK_BYTES", 4000)
    monkeypatch.setattr(counting, "_CHUNK_CHARS", 4000)
    monkeypatch.setattr(rhythm, "_SAVE_EVERY_S", 0.0)
    monkeypatch.setattr(rhythm, "_LEAST_RATIO", 0)
    text, documents, counts = tmp_path / "a.txt", tmp_path / "b.jsonl.gz", tmp_path / "c.counts"
    text.write_text("".join(LINES), encoding="utf-8")
    documents.write_bytes(gzip.compress("".join(json.dumps({"text": line}) + "\n" for line in LINES).encode()))
    counting_state.save_counts(counts, count_files(text, CUTTER, threads=1), "{}")
    return [text, documents, counts]


def stop_after(num_reports):
    left = [num_reports]

    def progress(phase, *_row, **_facts):
        left[0] -= phase == "count words"
        if left[0] < 0:
            raise Stop

    return progress


def test_a_disk_that_fills_while_words_wait_on_it_leaves_what_was_saved(files, tmp_path, monkeypatch):
    whole = count_files(files, CUTTER)
    scratch = spilling.ScratchFile
    left = [4 * NUM_PARTITIONS]

    class Filling(scratch):
        def write(self, data):
            left[0] -= 1
            if left[0] < 0:
                raise OSError(errno.ENOSPC, "No space left on device", str(self.folder))
            return super().write(data)

    monkeypatch.setattr(spilling, "ScratchFile", Filling)
    monkeypatch.setattr(spilling, "_FIXED_BYTES", 1 << 40)  # all room is spoken for
    monkeypatch.setattr(MemoryLimit, "require", lambda *_: None)
    state = CountingState(tmp_path / "counting", "key")
    with pytest.raises(OSError, match="No space left on device for the words"):
        count_files(files, CUTTER, memory=ample(), state=state, scratch_folder=tmp_path / "scratch")
    monkeypatch.setattr(spilling, "ScratchFile", scratch)
    again = CountingState(tmp_path / "counting", "key")
    counts = count_files(files, CUTTER, memory=ample(), state=again)
    assert 0 < state.num_chunks < again.num_chunks
    assert counts.items() == whole.items()
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("has_limit", [False, True])
@pytest.mark.parametrize("stops", [[1], [7], [3, 6, 9]])
def test_stopped_and_resumed_is_never_stopped(files, tmp_path, threads, has_limit, stops):
    whole = count_files(files, CUTTER, threads=threads)
    limit = ample() if has_limit else None
    for reports in stops:
        state = CountingState(tmp_path / "state", "key")
        with pytest.raises(Stop):
            count_files(files, CUTTER, threads=threads, state=state, memory=limit, progress=stop_after(reports))
        assert CountingState(tmp_path / "state", "key").resume(type(whole)(byte_level=True)) >= reports
    state = CountingState(tmp_path / "state", "key")
    assert count_files(files, CUTTER, threads=threads, state=state, memory=limit).items() == whole.items()


def test_chunks_that_were_counted_are_not_counted_again(files, tmp_path, monkeypatch):
    with pytest.raises(Stop):
        count_files(files, CUTTER, state=CountingState(tmp_path / "state", "key"), progress=stop_after(6))
    given = []
    monkeypatch.setattr(counting.CountingThreads, "give", lambda self, chunk: given.append(chunk))
    monkeypatch.setattr(counting.CountingThreads, "__exit__", lambda self, *_: self._stop())
    state = CountingState(tmp_path / "state", "key")
    count_files(files, CUTTER, state=state)
    assert len(list(counting._file_chunks(files[:2], CUTTER, counting.counting_reader()))) - len(given) >= 6


def test_a_state_of_other_work_is_refused_and_kept(files, tmp_path):
    with pytest.raises(Stop):
        count_files(files, CUTTER, state=CountingState(tmp_path / "state", "other"), progress=stop_after(4))
    before = (tmp_path / "state").read_bytes()
    with pytest.raises(StateError, match="other texts or other settings"):
        count_files(files, CUTTER, state=CountingState(tmp_path / "state", "key"))
    assert (tmp_path / "state").read_bytes() == before


def test_a_complete_count_is_kept_with_the_number_of_replaced_bytes(files, tmp_path):
    state = CountingState(tmp_path / "state", "key")
    state.complete(count_files(files, CUTTER), 3)
    later = CountingState(tmp_path / "state", "key")
    later.resume(WordCounts(byte_level=True))
    assert (later.is_complete, later.num_replaced) == (True, 3)


@pytest.mark.parametrize("settings", ["[]", "3", "", "no JSON", '{"key": 3}'])
def test_counts_of_something_else_are_no_state(files, tmp_path, settings):
    counting_state.save_counts(tmp_path / "state", count_files(files, CUTTER), settings)
    with pytest.raises(StateError, match="other texts or other settings"):
        CountingState(tmp_path / "state", "key").resume(WordCounts(byte_level=True))


def test_a_damaged_state_is_refused(files, tmp_path):
    path = tmp_path / "state"
    with pytest.raises(Stop):
        count_files(files, CUTTER, state=CountingState(path, "key"), progress=stop_after(4))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(FormatError, match="the checksum does not fit"):
        count_files(files, CUTTER, state=CountingState(path, "key"))


def test_a_state_that_the_memory_limit_has_no_room_for_is_not_saved(files, tmp_path, monkeypatch):
    counts = count_files(files, CUTTER)
    limit = ample()
    for room in (0, counts.memory_bytes + 1):
        monkeypatch.setattr(MemoryLimit, "room", lambda self, room=room: room)
        state = CountingState(tmp_path / "state", "key")
        assert list(state.part(iter([b"a"]))) == [b"a"]
        assert state.after_part(counts, 1, limit)
        assert state.path.exists() == (room > 0)
