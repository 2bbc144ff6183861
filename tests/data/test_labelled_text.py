"""Examples with labels from TSV, CSV, JSONL and JSON files."""

from __future__ import annotations

import csv
import gzip
import io
import json
from dataclasses import replace
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textpipe.data import labelled_text
from textpipe.data.example_files import FORMATS
from textpipe.data.labelled_text import Columns, Example, Labels, iter_examples
from textpipe.errors import FormatError, InputError, LimitError
from textpipe.limits import DEFAULT_LIMITS

PAIRS = Columns("s1", "s2", "score")


def write(folder, name, text):
    path = folder / name
    data = text.encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def read(path, columns=PAIRS):
    return [(example.text, example.second, example.label) for example in iter_examples(path, columns)]


FILES = {
    "a.tsv": 'id\ts1\ts2\tscore\n1\t그는 "예"라고\t아니"요\t4.5\r\n\n2\t\'나\t,너\t0\n',
    "a.tsv.gz": 'id\ts1\ts2\tscore\n1\t그는 "예"라고\t아니"요\t4.5\n2\t\'나\t,너\t0\n',
    "a.csv": 's1,s2,score\n"그는 ""예""라고","아니""요",4.5\n\'나,",너",0\n',
    "a.jsonl": '{"s1": "그는 \\"예\\"라고", "s2": "아니\\"요", "score": 4.5}\n'
    '{"s1": "\'나", "s2": ",너", "score": 0}\n',
    "a.json": '[{"s1": "그는 \\"예\\"라고", "s2": "아니\\"요", "score": 4.5}, {"s1": "\'나", "s2": ",너", "score": 0}]',
}


@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "byte-order mark"])
@pytest.mark.parametrize("name", [name for name in FILES if name != "a.json"])
def test_every_kind_of_file_gives_the_same_examples(tmp_path, name, mark):
    found = read(write(tmp_path, name, mark + FILES[name]))
    assert found == [('그는 "예"라고', '아니"요', "4.5"), ("'나", ",너", "0")]


def test_a_list_of_objects_gives_the_same_examples(tmp_path):
    assert read(write(tmp_path, "a.json", FILES["a.json"])) == read(write(tmp_path, "a.csv", FILES["a.csv"]))


def test_benchmarks_are_read_as_they_are_published(tmp_path):
    sts = {"sentence1": "가", "sentence2": "나", "labels": {"label": 3.7, "binary-label": 1}}
    nli = {"premise": "가", "hypothesis": "나", "gold_label": "neutral"}
    for name, row, label in (("klue-sts", sts, "3.7"), ("klue-nli", nli, "neutral")):
        path = write(tmp_path, f"{name}.json", json.dumps([row], ensure_ascii=False, indent=2))
        assert read(path, FORMATS[name].columns) == [("가", "나", label)]
    text = "genre\tfilename\tyear\tid\tscore\tsentence1\tsentence2\nmain\tx\t2012\t0\t2.400\t가\t나\n"
    (example,) = iter_examples(write(tmp_path, "korsts.tsv", text), FORMATS["korsts"].columns)
    assert example.score == 2.4
    text = "id\tdocument\tlabel\n9\t재밌다ㅋㅋ\t1\n"
    assert read(write(tmp_path, "ratings.txt", text), FORMATS["nsmc"].columns) == [("재밌다ㅋㅋ", None, "1")]


def test_a_review_of_nothing_stays_an_example_where_the_published_file_has_some(tmp_path):
    path = write(tmp_path, "ratings.txt", "id\tdocument\tlabel\n1\t재밌다\t1\n2\t\t0\n")
    assert read(path, FORMATS["nsmc"].columns) == [("재밌다", None, "1"), ("", None, "0")]
    with pytest.raises(FormatError, match="line 3: document is empty"):
        read(path, Columns("document"))
    write(tmp_path, "ratings.txt", "id\tdocument\tlabel\n1\t재밌다\t \n")
    with pytest.raises(FormatError, match="line 2: label is empty"):
        read(path, FORMATS["nsmc"].columns)


def test_a_row_without_a_label_is_an_example_where_none_is_asked_for(tmp_path):
    path = write(tmp_path, "a.tsv", "text\n가\n")
    (example,) = iter_examples(path, Columns(label=None))
    assert (example.text, example.label) == ("가", "")


CELL = st.text(st.sampled_from('가나 ,"\n'), min_size=1).filter(str.strip)


@given(rows=st.lists(st.tuples(CELL, CELL), min_size=1, max_size=6))
def test_a_csv_of_any_cells_is_read_as_it_was_written(tmp_path_factory, rows):
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows([("text", "label"), *rows])
    path = write(tmp_path_factory.mktemp("csv"), "a.csv", written.getvalue())
    assert [(text, label) for text, _, label in read(path, Columns())] == rows


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.tsv", "s1\ts2\tscore\n가\t나\t1\n가\t나\n", r"line 3: 2 cells \(allowed: 3"),
        ("a.tsv", "s1\ts2\tscor\n가\t나\t1\n", r"line 2: no column 'score'.*did you mean \"scor\""),
        ("a.tsv", "s1\ts2\tscore\n가\t \t1\n", "line 2: s2 is empty"),
        ("a.tsv", "s1\ts1\tscore\n", "line 1: two columns have the same name"),
        ("a.tsv", "", "the file is empty"),
        ("a.csv", 's1,s2,score\n"가\n나",다,1\n가,나\n', "line 4: 2 cells"),
        ("a.csv", 's1,s2,score\n가,나,1\n"가,나,1\n', "line 3: the quoting is broken"),
        ("a.jsonl", '{"s1": "가", "s2": "나", "score": 1}\n\n{"s1": \n', "line 3: not JSON"),
        ("a.jsonl", "[1]\n", "line 1: not a JSON object"),
        ("a.jsonl", '{"s1": "가", "s2": null, "score": 1}\n', "line 1: s2 is neither text nor a number"),
        ("a.json", '{"s1": "가"}', "not a list"),
        ("a.json", '[{"s1": "가", "s2": "나", "score": 1}, 3]', "object 2: not a JSON object"),
        ("a.json", "[" * 100_000, "nested too deep"),
    ],
)
def test_a_row_that_cannot_be_used_is_named(tmp_path, name, text, message):
    with pytest.raises(FormatError, match=message) as caught:
        read(write(tmp_path, name, text))
    assert str(tmp_path / name) in str(caught.value)


def test_a_label_is_the_same_however_its_letters_are_put_together(tmp_path):
    path = write(tmp_path, "a.tsv", f"text\tlabel\n가\t{normalize('NFD', '부정')}\n나\t부정\n")
    assert {label for _, _, label in read(path, Columns())} == {"부정"}


def test_true_and_false_of_json_are_labels(tmp_path):
    path = write(tmp_path, "a.jsonl", '{"text": "가", "label": true}\n{"text": "나", "label": false}\n')
    assert [label for _, _, label in read(path, Columns())] == ["true", "false"]


def test_a_missing_file_and_one_of_an_unknown_kind_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "none.tsv")
    with pytest.raises(InputError, match=r"allowed: \.tsv, \.txt, \.csv"):
        read(write(tmp_path, "a.xlsx", "x"))


@pytest.mark.parametrize(("room", "fits"), [(-1, False), (0, True), (1, True)])
def test_a_json_file_has_a_largest_size(tmp_path, monkeypatch, room, fits):
    text = FILES["a.json"]
    limits = replace(DEFAULT_LIMITS, examples_json_bytes=len(text.encode()) + room)
    monkeypatch.setattr(labelled_text, "DEFAULT_LIMITS", limits)
    path = write(tmp_path, "a.json", text)
    if fits:
        assert len(read(path)) == 2
    else:
        with pytest.raises(LimitError, match="JSONL"):
            read(path)


@pytest.mark.parametrize("label", ["긍정", "nan", "inf", "4,5"])
def test_a_label_that_is_no_number_is_named_when_one_is_asked_for(label):
    with pytest.raises(InputError, match=r"a\.tsv: line 7: the label"):
        _ = Example("가", None, label, "a.tsv: line 7").score


def test_labels_are_numbered_the_same_in_whatever_order_they_come():
    examples = [Example("가", None, label, "") for label in ("neutral", "entailment", "neutral", "contradiction")]
    assert Labels.of(examples).names == Labels.of(examples[::-1]).names == ("contradiction", "entailment", "neutral")


def test_an_unseen_label_is_named_with_its_line_and_the_nearest_known():
    labels = Labels(["contradiction", "entailment", "neutral"])
    with pytest.raises(InputError, match=r'dev.tsv: line 9: the label \'entailmen\'.*did you mean "entailment"'):
        labels.id_of("entailmen", where="dev.tsv: line 9")


@pytest.mark.parametrize("names", [[], ["a", "a"]])
def test_labels_are_one_or_more_and_each_once(names):
    with pytest.raises(InputError):
        Labels(names)
