"""Pairs from TSV, JSONL and aligned files; a line without its other half is named."""

from __future__ import annotations

import gzip

import pytest

from textpipe.data.parallel_text import iter_aligned, iter_pairs
from textpipe.errors import FormatError, InputError


def test_a_tsv_gives_its_columns_either_way(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_bytes("사과\tapple\tfruit\r\n\n바다\tsea\tplace\n".encode())
    assert list(iter_pairs([path])) == [("사과", "apple"), ("바다", "sea")]
    assert list(iter_pairs([path], columns=(1, 0))) == [("apple", "사과"), ("sea", "바다")]
    assert list(iter_pairs([path], columns=(0, 2))) == [("사과", "fruit"), ("바다", "place")]


def test_jsonl_says_by_name(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress('{"target": "sea", "source": "바\\n다"}\n'.encode()))
    assert list(iter_pairs([path])) == [("바\n다", "sea")]
    assert list(iter_pairs([path], columns=(1, 0))) == [("sea", "바\n다")]


def test_two_files_are_taken_line_by_line(tmp_path):
    (tmp_path / "a.ko").write_text("하나\n둘\n", encoding="utf-8")
    (tmp_path / "a.en").write_text("one\ntwo", encoding="utf-8")
    assert list(iter_aligned(tmp_path / "a.ko", tmp_path / "a.en")) == [("하나", "one"), ("둘", "two")]


def test_files_of_unequal_length_are_refused_at_the_line(tmp_path):
    (tmp_path / "a.ko").write_text("하나\n둘\n", encoding="utf-8")
    (tmp_path / "a.en").write_text("one\ntwo\nthree\n", encoding="utf-8")
    with pytest.raises(FormatError, match=r"a\.ko.*line 3.*ends before line 3, which a\.en has"):
        list(iter_aligned(tmp_path / "a.ko", tmp_path / "a.en"))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.tsv", "사과\tapple\n바다\n", "line 2: 1 column "),
        ("a.jsonl", '{"source": "x"}\n', "line 1.*not an object with source and target"),
        ("a.jsonl", '{"source": "x", "target": 3}\n', "line 1.*must be strings"),
        ("a.jsonl", "x\n", "line 1.*not an object"),
        ("a.tsv", "\n사과\tapple\n\t \n \tsea\n", "line 4: the source is empty"),
        ("a.jsonl", '{"source": "x", "target": " "}\n', "line 1: the target is empty"),
    ],
)
def test_a_line_without_its_other_half_is_refused_with_its_number(tmp_path, name, text, message):
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(FormatError, match=message):
        list(iter_pairs([tmp_path / name]))


def test_lines_empty_on_both_sides_are_no_pairs_and_one_empty_side_names_its_file(tmp_path):
    one, other = tmp_path / "a.ko", tmp_path / "a.en"
    one.write_text("하나\n\n셋\n", encoding="utf-8")
    other.write_text("one\n \nthree\n", encoding="utf-8")
    assert list(iter_aligned(one, other)) == [("하나", "one"), ("셋", "three")]
    assert len(list(iter_aligned(one, other, keeps_empty=True))) == 3
    other.write_text("one\ntwo\nthree\n", encoding="utf-8")
    with pytest.raises(FormatError, match=r"a\.ko.*line 2: the source is empty"):
        list(iter_aligned(one, other))
    assert list(iter_aligned(one, other, keeps_empty=True))[1] == ("", "two")
    table, named = tmp_path / "a.tsv", tmp_path / "a.jsonl"
    table.write_text("하나\tone\n\t\n\n셋\tthree\n", encoding="utf-8")
    assert list(iter_pairs([table], keeps_empty=True)) == [("하나", "one"), ("", ""), ("셋", "three")]
    named.write_text('{"source": "", "target": "one"}\n', encoding="utf-8")
    for columns in ((0, 1), (1, 0)):
        with pytest.raises(FormatError, match="line 1: the source is empty"):
            list(iter_pairs([named], columns=columns))


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        list(iter_pairs([tmp_path / "absent.tsv"]))
    with pytest.raises(InputError, match="no such file"):
        list(iter_aligned(tmp_path / "absent.ko", tmp_path / "absent.en"))
