"""Which format a file of examples has, and what is told of it."""

from __future__ import annotations

import pytest

from textpipe.data.example_files import FORMATS, format_named, read_examples
from textpipe.data.labelled_text import Columns
from textpipe.errors import ConfigError, InputError


def test_a_known_format_says_the_task_and_columns_go_over_its_own():
    assert format_named("klue-sts", None).task == "score"
    assert format_named("klue-sts", "score", label="labels.real-label").columns == Columns(
        "sentence1", "sentence2", "labels.real-label"
    )


def test_columns_of_ones_own_leave_the_rest_of_a_format_as_it_is():
    assert format_named("nsmc", None, label="rating").columns == Columns("document", None, "rating", may_be_empty=True)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"name": "klue-sta", "task": None}, "klue-sts"),
        ({"name": None, "task": "lable"}, "label"),
        ({"name": None, "task": None}, "what is to be told"),
        ({"name": "korsts", "task": "label"}, "korsts is for the task score"),
        ({"name": None, "task": "tags"}, "words or characters"),
        ({"name": "squad", "task": None, "text": "question"}, "no named columns"),
    ],
)
def test_a_format_that_cannot_be_says_what_can(given, message):
    with pytest.raises(ConfigError, match=message):
        format_named(given.pop("name"), given.pop("task"), **given)


def test_examples_of_several_files_come_in_order_and_an_empty_one_is_named(tmp_path):
    for name, text in (
        ("a.tsv", "text\tlabel\n가\t1\n"),
        ("b.tsv", "text\tlabel\n나\t0\n"),
        ("c.tsv", "text\tlabel\n"),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
    found = read_examples([tmp_path / "b.tsv", tmp_path / "a.tsv"], format_named(None, "label"))
    assert [example.text for example in found] == ["나", "가"]
    with pytest.raises(InputError, match=r"no example in this file.*|c\.tsv"):
        read_examples([tmp_path / "a.tsv", tmp_path / "c.tsv"], format_named(None, "label"))


def test_every_format_is_of_a_task():
    assert {format_.task for format_ in FORMATS.values()} == {"label", "score", "tags", "answer"}
