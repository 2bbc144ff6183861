"""Texts in columns: the same as in lines, whatever holds them, and clear ends where there are none."""

from __future__ import annotations

import sys

import pytest

from textpipe import sources
from textpipe.core._native import grammar_step
from textpipe.errors import FormatError, InputError, MissingExtraError
from textpipe.trainers import WordCutter, count_files, count_texts

arrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

TEXTS = ["밥을 먹었다", "ㅋㅋㅋ", "", "The ferry", "\u1112\u1161\u11ab글 😀"] * 300
CUTTER = WordCutter(cutting=(grammar_step(0),), byte_level=True)


@pytest.fixture
def table():
    return arrow.table({"id": list(range(len(TEXTS) + 1)), "text": [*TEXTS, None]})


def test_a_parquet_file_gives_the_texts_of_its_column_row_by_row(table, tmp_path):
    file = tmp_path / "a.parquet"
    parquet.write_table(table, file, row_group_size=100)
    assert list(sources.iter_texts(file)) == TEXTS
    assert count_files(tmp_path, CUTTER).items() == count_texts(TEXTS, CUTTER).items()


@pytest.mark.parametrize(
    "shape",
    [
        lambda table: table,
        lambda table: table["text"],
        lambda table: table["text"].combine_chunks(),
        lambda table: arrow.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=7)),
        lambda table: table.to_batches()[0],
        lambda table: table["text"].cast(arrow.large_string()),
        lambda table: table["text"].dictionary_encode(),
    ],
)
def test_what_arrow_holds_is_counted_as_a_list_of_its_strings(table, shape):
    assert count_texts(shape(table), CUTTER).items() == count_texts(TEXTS, CUTTER).items()


def test_a_column_that_is_absent_or_holds_no_texts_is_refused_by_name(table, tmp_path):
    with pytest.raises(InputError, match="no column 'text'"):
        count_texts(table.rename_columns(["id", "txt"]), CUTTER)
    with pytest.raises(InputError, match=r"column text: holds int64"):
        count_texts(table.select(["id"]).rename_columns(["text"]), CUTTER)
    file = tmp_path / "b.parquet"
    parquet.write_table(table.rename_columns(["id", "txt"]), file)
    with pytest.raises(InputError, match=r"b\.parquet: no column 'text'\. did you mean"):
        list(sources.iter_texts(file))


def test_a_parquet_file_cut_anywhere_is_refused(table, tmp_path):
    file = tmp_path / "a.parquet"
    parquet.write_table(table.slice(0, 20), file)
    whole = file.read_bytes()
    for size in range(0, len(whole), 7):
        file.write_bytes(whole[:size])
        with pytest.raises(FormatError, match=r"a\.parquet"):
            list(sources.iter_texts(file))


def test_without_pyarrow_the_line_that_installs_it_is_said(table, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    file = tmp_path / "a.parquet"
    file.write_bytes(b"PAR1")
    with pytest.raises(MissingExtraError, match=r'pip install "textpipe\[arrow\]"'):
        list(sources.iter_texts(file))
