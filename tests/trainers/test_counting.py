"""Counting words from files and iterators: the same counts however the work is split, and clear ends."""

from __future__ import annotations

import gzip
import json
import random
import threading

import pytest

from textpipe.core._native import grammar_step
from textpipe.errors import ConfigError, FormatError, InputError, LimitError
from textpipe.normalizers import Replace
from textpipe.trainers import SentenceCutter, SentenceReader, WordCutter, count_files, count_texts, counting

GPT2, WHOLE = 0, 3
BYTE_LEVEL = WordCutter(cutting=(grammar_step(GPT2),), byte_level=True)


@pytest.fixture(scope="module")
def lines():
    rng = random.Random(7)
    words = ["밥을", "먹었다", "ㅋㅋㅋ", "the", "ferry", "is", "late", "\u1112\u1161\u11ab", "😀", "3.14", "  ", "\t"]
    return [" ".join(rng.choice(words) for _ in range(rng.randint(0, 40))) + "\n" for _ in range(3000)]


def threads_alive():
    return [thread.name for thread in threading.enumerate() if thread.name == "textpipe-count"]


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("chunk_bytes", [1, 1000, 1 << 20])
def test_threads_and_chunks_do_not_change_the_counts(lines, tmp_path, monkeypatch, threads, chunk_bytes):
    file = tmp_path / "text.txt"
    file.write_text("".join(lines), encoding="utf-8")
    monkeypatch.setattr(counting, "_CHUNK_BYTES", chunk_bytes)
    counts = count_files(file, BYTE_LEVEL, threads=threads)
    assert counts.items() == count_texts(lines, BYTE_LEVEL, threads=1).items()


def test_text_is_counted_line_by_line_and_jsonl_document_by_document(tmp_path):
    text, documents = tmp_path / "a.txt", tmp_path / "b.jsonl.gz"
    text.write_text("가\r\n나", encoding="utf-8")
    documents.write_bytes(gzip.compress(json.dumps({"text": "가\n나"}).encode()))
    cutter = WordCutter(cutting=(grammar_step(WHOLE),))
    assert [word.decode() for word, _ in count_files(text, cutter).items()] == ["가\r\n", "나"]
    assert [word.decode() for word, _ in count_files(documents, cutter).items()] == ["가\n나"]


def test_an_iterator_may_give_lists_of_strings():
    assert (
        count_texts([["가", "나"], ["가"]], BYTE_LEVEL).items() == count_texts(["가", "나", "가"], BYTE_LEVEL).items()
    )


def test_python_code_may_cut_the_words():
    counts = count_texts(["가-나", "가"], WordCutter(split=lambda text: text.split("-")))
    assert counts.items() == [("가".encode(), 2), ("나".encode(), 1)]


def test_a_file_is_cut_by_python_code_line_by_line(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("가\u2028나\r다\n라", encoding="utf-8")
    seen = []
    count_files(file, WordCutter(split=lambda text: seen.append(text) or [text]))
    assert seen == ["가\u2028나\r다\n", "라"]


def test_what_is_no_text_is_refused_and_no_thread_stays():
    with pytest.raises(InputError, match="cannot train from int"):
        count_texts(["가", 3], BYTE_LEVEL, threads=2)
    assert not threads_alive()


def test_what_an_iterator_raises_comes_out_and_no_thread_stays():
    def texts():
        yield "가" * 1_000_000
        raise ZeroDivisionError("from the iterator")

    with pytest.raises(ZeroDivisionError, match="from the iterator"):
        count_texts(texts(), BYTE_LEVEL, threads=3)
    assert not threads_alive()


def test_ctrl_c_between_chunks_stops_and_no_thread_stays(lines):
    def progress(*_row, **_facts):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        count_texts(lines * 100, BYTE_LEVEL, threads=2, progress=progress)
    assert not threads_alive()


def test_what_a_counting_thread_raises_comes_out_once_all_have_ended():
    def split(text):
        raise ZeroDivisionError(text)

    with pytest.raises(ZeroDivisionError, match="가"):
        count_texts(["가"] * 10, WordCutter(split=split))
    assert not threads_alive()


def test_half_a_surrogate_pair_in_an_iterator_is_refused():
    with pytest.raises(InputError, match="half of a surrogate pair"):
        count_texts(["\ud800"], BYTE_LEVEL)


def test_a_file_that_is_not_utf8_is_refused_with_the_byte(tmp_path):
    file = tmp_path / "cp949.txt"
    file.write_bytes("밥\n".encode() + "밥".encode("cp949"))
    with pytest.raises(FormatError, match="at byte 4"):
        count_files(file, BYTE_LEVEL)
    assert not threads_alive()


@pytest.fixture
def failing_start(monkeypatch):
    """Threads that count start as often as said, and then fail with an error."""

    def install(num_started, error):
        start, left = threading.Thread.start, [num_started]

        def limited(self):
            left[0] -= self.name == "textpipe-count"
            if left[0] < 0:
                raise error
            start(self)

        monkeypatch.setattr(threading.Thread, "start", limited)

    return install


def test_where_the_system_gives_fewer_threads_those_count(lines, failing_start):
    whole = count_texts(lines, BYTE_LEVEL, threads=1)
    failing_start(2, RuntimeError("can't start new thread"))
    assert count_texts(lines, BYTE_LEVEL, threads=64).items() == whole.items()
    assert threads_alive() == []


def test_where_the_system_gives_no_thread_that_is_said(lines, failing_start):
    failing_start(0, RuntimeError("can't start new thread"))
    with pytest.raises(LimitError, match="no thread could be started"):
        count_texts(lines, BYTE_LEVEL, threads=2)


def test_an_interrupt_while_threads_start_leaves_none(lines, failing_start):
    failing_start(2, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        count_texts(lines, BYTE_LEVEL, threads=4)
    assert threads_alive() == []


def test_no_threads_at_all_are_refused():
    with pytest.raises(ConfigError, match="0 threads"):
        count_texts(["가"], BYTE_LEVEL, threads=0)


def test_progress_counts_bytes_of_plain_files_up_to_the_total(lines, tmp_path):
    file = tmp_path / "text.txt"
    file.write_text("".join(lines), encoding="utf-8")
    rows = []
    count_files(file, BYTE_LEVEL, progress=lambda *row, unit: rows.append((*row, unit)))
    size = file.stat().st_size
    assert rows[-1] == ("count words", size, size, "bytes")


def test_a_normalizer_that_makes_a_text_too_long_is_a_limit_and_no_thread_stays():
    giant = (Replace("가", "나" * 1000), Replace("나", "다" * 60_000))
    steps = tuple(step for part in giant for step in part.native_steps())
    before = set(threading.enumerate())
    for cutter in (WordCutter((), normalization=steps), SentenceCutter(reader=SentenceReader(normalization=steps))):
        with pytest.raises(LimitError, match="longer than there may be"):
            count_texts(["나", "가" * 100], cutter, threads=2)
        assert set(threading.enumerate()) <= before
