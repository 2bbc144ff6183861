"""Records: a document and its line of JSON are the same thing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textpipe.errors import InputError
from textpipe.records import Document, Removed, WarcLocation

text = st.text(st.characters(exclude_categories=["Cs"]))
documents = st.builds(
    Document,
    id=text,
    text=text,
    source=text,
    url=text,
    title=text,
    created=text,
    lang=st.sampled_from(["ko", "en", "und"]),
    lang_score=st.floats(0, 1),
    charset=st.sampled_from(["", "cp949"]),
    warc=st.none() | st.builds(WarcLocation, file=text, offset=st.integers(0, 1 << 60)),
    metadata=st.dictionaries(text, text, max_size=3),
)


@given(documents)
def test_a_document_written_as_json_reads_back_equal(document: Document) -> None:
    line = document.to_json()
    assert "\n" not in line
    assert Document.from_json(line) == document


def test_korean_is_written_as_it_is() -> None:
    assert "똠방각하" in Document(id="1", text="똠방각하").to_json()


@pytest.mark.parametrize("line", ["", "{", "[1]", '{"text": 3}', '{"id": "x"}', "[" * 100_000, '"text"'])
def test_a_line_that_is_no_document_is_refused(line: str) -> None:
    with pytest.raises(InputError):
        Document.from_json(line)


def test_rows_of_other_tools_are_read() -> None:
    dolma = {"id": "a", "text": "글", "source": "s", "added": "2026-01-01", "metadata": {"length": 3}}
    assert Document.from_json(json.dumps(dolma)).metadata == {"length": "3"}
    assert Document.from_json('{"text": "글"}') == Document(id="", text="글")


def test_a_removed_document_carries_its_reason() -> None:
    row = json.loads(Removed(Document(id="1", text="x"), "language", "not wanted", "zh 0.9").to_json())
    assert row["removed"] == {"stage": "language", "reason": "not wanted", "detail": "zh 0.9"}
    assert Document.from_json(json.dumps(row)).text == "x"
