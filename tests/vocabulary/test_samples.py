"""Samples of the inputs: from all over them, as much of each as it is of the whole, the same each time."""

from __future__ import annotations

import gzip
import json
from collections import Counter

import pytest

from textpipe.errors import FormatError
from textpipe.sources import LineReader, inflated_bytes
from textpipe.vocabulary import VocabConfig, forecast, sample_documents
from textpipe.vocabulary.samples import spread_documents, text_bytes


def write(path, lines):
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def sampled(paths, num_bytes, reader=None):
    return [each.text for part in spread_documents(paths, reader or LineReader(), num_bytes) for each in part]


def test_a_small_text_is_sampled_whole(tmp_path):
    lines = [f"{number} 번째 줄" for number in range(500)]
    assert sampled([write(tmp_path / "a.txt", lines)], 1 << 20) == lines


def test_a_sample_has_whole_lines_from_all_over_a_text(tmp_path):
    lines = [f"{number} 번째 줄은 길다" for number in range(50_000)]
    found = sampled([write(tmp_path / "a.txt", lines)], 1 << 16)
    assert set(found) <= set(lines)
    numbers = [int(line.split()[0]) for line in found]
    assert numbers == sorted(set(numbers))
    assert Counter(number // 5000 for number in numbers).keys() == set(range(10))
    assert 1 << 16 < sum(len(line.encode()) + 1 for line in found) < 3 << 16


def test_each_file_gives_as_much_as_it_is_of_the_whole_and_the_smallest_something(tmp_path):
    files = [
        write(tmp_path / "large.txt", [f"크다 {number:09d}" for number in range(60_000)]),
        write(tmp_path / "half.txt", [f"half {number:09d} x" for number in range(30_000)]),
        write(tmp_path / "small.txt", ["작다"]),
    ]
    counts = Counter(line.split()[0] for line in sampled(files, 1 << 16))
    assert counts["작다"] == 1
    assert counts["크다"] / counts["half"] == pytest.approx(2, rel=0.1)


def test_documents_of_jsonl_are_found_within_it_and_a_broken_one_is_named(tmp_path):
    lines = [json.dumps({"text": f"{number} 문서", "lang": "ko"}, ensure_ascii=False) for number in range(20_000)]
    file = write(tmp_path / "a.jsonl", lines)
    found = list(sample_documents([file], num_bytes=1 << 14))
    assert {document.lang for document in found} == {"ko"}
    assert int(found[-1].text.split()[0]) > 19_000
    write(file, ["not json at all"] * 20_000)
    with pytest.raises(FormatError, match=r"a\.jsonl: the line not json at all"):
        sampled([file], 1 << 14)


def test_a_line_too_long_to_be_found_in_is_cut_from_the_beginning(tmp_path, monkeypatch):
    monkeypatch.setattr("textpipe.sources.lines._MOST_SAMPLED", 1 << 12)
    file = tmp_path / "a.txt"
    file.write_text("가나다라 " * 200_000, encoding="utf-8")
    found = sampled([file], 1 << 16, LineReader(chunk_bytes=1 << 12))
    assert 1 << 16 <= sum(len(text.encode()) for text in found) < 2 << 20
    assert set("".join(found).split()) == {"가나다라"}


def test_a_packed_file_is_sampled_from_its_beginning_by_the_size_it_tells(tmp_path):
    lines = [f"{number} 번째 줄은 길다" for number in range(20_000)]
    plain = write(tmp_path / "a.txt", lines)
    packed = tmp_path / "a.txt.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert inflated_bytes(packed) == text_bytes(packed) == plain.stat().st_size
    found = sampled([packed], 1 << 14)
    assert found == lines[: len(found)]
    packed.write_bytes(b"\x1f\x8b")
    assert inflated_bytes(packed) is None


def test_bytes_that_are_not_utf8_are_refused_by_their_place_or_replaced(tmp_path):
    file = tmp_path / "a.txt"
    file.write_bytes(b"one line\n" * 5000 + b"bad \xff line\n" * 5000)
    with pytest.raises(FormatError, match="byte 0xff is not UTF-8"):
        sampled([file], 1 << 12)
    assert "bad � line" in sampled([file], 1 << 12, LineReader(invalid_utf8="replace"))


def test_a_forecast_of_words_that_come_late_in_a_text_is_near(tmp_path, monkeypatch):
    monkeypatch.setattr("textpipe.vocabulary.forecasting._SAMPLE_BYTES", 1 << 17)
    lines = ["밥을 먹고 또 먹는다"] * 20_000 + [f"{number} 번째 낱말{number % 4001}" for number in range(20_000)]
    expected = forecast(write(tmp_path / "a.txt", lines), VocabConfig(pre_tokenizer="whitespace-split"))
    assert expected.num_words == pytest.approx(24_006, rel=0.5)
    assert expected.cpu_seconds > 0
