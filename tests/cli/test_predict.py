"""predict as a person types it: files, standard input, JSON lines, scores."""

from __future__ import annotations

import io
import json
import re
import sys

import pytest

from textpipe.cli.app import run
from textpipe.files import write_text
from textpipe.implementations import BertWordPieceTokenizer

torch = pytest.importorskip("torch", reason="needs the extra: pip install 'textpipe[train]'")
SMALL = ["--context", "48", "--layers", "1", "--heads", "2", "--width", "16", "--steps", "2", "--warmup-steps", "1"]
CONTEXT = "한글은 세종대왕이 만들었다"
FILES = {
    "label.tsv": "text\tlabel\n정말 좋다\t긍정\n정말 싫다\t부정\n",
    "score.tsv": "sentence1\tsentence2\tscore\n가\t나\t1.0\n다\t다\t5.0\n라\t마\t2.5\n",
    "tags.txt": "김\tB-PS\n씨\tO\n\n서\tB-LC\n울\tI-LC\n",
    "answer.json": json.dumps({"data": [{"paragraphs": [{"context": CONTEXT, "qas": [
        {"id": "q", "question": "누가", "answers": [{"text": "세종대왕", "answer_start": 4}]}]}]}]}),
}  # fmt: skip
TASKS = {
    "label": ("label.tsv", ["--task", "label"]),
    "score": ("score.tsv", ["--format", "korsts"]),
    "tags": ("tags.txt", ["--format", "klue-ner"]),
    "answer": ("answer.json", ["--format", "squad"]),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A file of examples and a run of two steps of every task."""
    torch.set_num_threads(1)
    here = tmp_path_factory.mktemp("predict")
    for name, text in FILES.items():
        write_text(here / name, text)
    tokenizer = BertWordPieceTokenizer(lowercase=False, strip_accents=False)
    tokenizer.train_from_iterator(
        [CONTEXT, "김씨 서울 정말 좋다 싫다 누가 가나다라마"] * 4, vocab_size=90, show_progress=False
    )
    write_text(here / "vocab" / "tokenizer.json", tokenizer.to_str())
    for task, (file, words) in TASKS.items():
        given = ["train", "finetune", str(here / file), "--val", str(here / file), "--tokenizer", str(here / "vocab")]
        assert run([*given, *words, *SMALL, "--out", str(here / task), "--threads", "1", "--quiet"]) == 0
    return here


def rows(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    ("task", "words", "keys"),
    [
        ("label", ["--text", "좋다", "--text", "정말 싫다"], {"text", "label", "probabilities"}),
        ("score", ["--text", "가", "--second", "나"], {"text", "second", "score"}),
        ("tags", ["--text", "서울"], {"text", "spans"}),
        (
            "answer",
            ["--text", "누가", "--second", CONTEXT],
            {"text", "second", "answer", "begin", "end", "probability"},
        ),
    ],
)
def test_every_task_says_what_it_makes_of_texts_as_json(folder, capsys, task, words, keys):
    assert run(["predict", str(folder / task), *words, "--json"]) == 0
    found = rows(capsys)
    assert len(found) == words.count("--text")
    assert all(set(row) == keys for row in found)


@pytest.mark.parametrize("task", TASKS)
def test_files_of_examples_are_told_and_scored(folder, capsys, task):
    file, words = TASKS[task]
    format_ = words if words[0] == "--format" else []
    assert run(["predict", str(folder / task), str(folder / file), *format_]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == {"label": 2, "score": 3, "tags": 2, "answer": 1}[task]
    assert all("\t" in line for line in lines)
    if task == "score":  # of three examples a resample may hold one alone
        return
    assert run(["predict", str(folder / task), str(folder / file), *format_, "--score"]) == 0
    first, _, rest = capsys.readouterr().out.partition("\n\n")
    measures = dict(line.split("\t") for line in first.splitlines())
    assert set(measures) == {
        "label": {"accuracy", "macro f1"}, "tags": {"entity f1"}, "answer": {"exact match", "answer f1"}
    }[task]  # fmt: skip
    assert all("[" in value for value in measures.values())
    assert run(["predict", str(folder / task), str(folder / file), *format_, "--score", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    for name, sides in found["measures"].items():
        assert measures[name.replace("_", " ")] == "{value:.4f} [{low:.4f}, {high:.4f}]".format_map(sides)
    rows = [line.split("\t") for line in rest.splitlines()]
    assert bool(rows) == (task != "answer")
    if rows:
        assert rows[0] == ["class", "precision", "recall", "f1", "number"]
    for name, *shares, number in rows[1:]:
        each = found["classes"][name]
        assert shares == [f"{each[key]:.4f}" for key in ("precision", "recall", "f1")]
        assert int(number) == each["support"]


@pytest.mark.parametrize(
    ("task", "text", "message"),
    [
        ("label", "text\tlabel\n좋다\t긍정\n싫다\t긍졍\n", r"line 3: the label '긍졍' .*긍정"),
        ("tags", "김\tB-PS\n씨\tO\n\n서\tB-OG\n", r"line 4: the label 'B-OG'"),
        (
            "score",
            "sentence1\tsentence2\tscore\n가\t나\t1.0\n다\t라\t높다\n",
            "line 3: the label '높다' is not a number",
        ),
    ],
)
def test_a_label_the_model_cannot_tell_has_no_score_but_a_line(  # noqa: PLR0917
    folder, capsys, tmp_path, task, text, message
):
    file, words = TASKS[task]
    write_text(tmp_path / file, text)
    format_ = words if words[0] == "--format" else []
    assert run(["predict", str(folder / task), str(tmp_path / file), *format_, "--score"]) == 3
    captured = capsys.readouterr()
    assert re.search(message, captured.err)
    assert captured.out == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["FILE.txt", "--second", "가"], "--second without --text"),
        (["FILE.txt", "--text-column", "review"], "FILE.txt: --text-column, and this file has no columns"),
        (["FILE.conll"], "FILE.conll: tagged text, and nothing says whether its tokens are words. this model does not"),
        (["--text", "가", "--format", "nsmc"], "--format with --text"),
        (["--text", "가", "--text-column", "review"], "--text-column with --text"),
    ],
)
def test_what_would_do_nothing_is_refused(folder, capsys, tmp_path, words, message):
    for name in ("FILE.txt", "FILE.conll"):
        write_text(tmp_path / name, "좋다\n")
    words = [str(tmp_path / word) if word.startswith("FILE") else word for word in words]
    assert run(["predict", str(folder / "label"), *words]) != 0
    captured = capsys.readouterr()
    assert message in captured.err.replace(f"{tmp_path}/", "")
    assert captured.out == ""


def test_a_table_is_one_whatever_the_case_of_its_name_and_texts_that_are_cut_are_counted(folder, capsys, tmp_path):
    write_text(tmp_path / "A.TSV", f"text\tlabel\n{'정말 ' * 60}\t긍정\n좋다\t긍정\n")
    assert run(["predict", str(folder / "label"), str(tmp_path / "A.TSV"), "--json"]) == 0
    captured = capsys.readouterr()
    assert [json.loads(line)["text"][:2] for line in captured.out.splitlines()] == ["정말", "좋다"]
    assert captured.err == "1 text of more than the 48 tokens the model reads: cut\n"


def test_lines_of_standard_input_are_texts_and_tables_need_no_label(folder, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("좋다\n\n정말 싫다\n".encode())))
    assert run(["predict", str(folder / "label"), "-", "--json"]) == 0
    assert [row["text"] for row in rows(capsys)] == ["좋다", "정말 싫다"]
    write_text(tmp_path / "a.tsv", "review\tyear\n좋다\t2020\n")
    assert run(["predict", str(folder / "label"), str(tmp_path / "a.tsv"), "--text-column", "review", "--json"]) == 0
    assert [row["text"] for row in rows(capsys)] == ["좋다"]
    write_text(tmp_path / "pairs.txt", "가\t나\n다\t라\n")
    assert run(["predict", str(folder / "score"), str(tmp_path / "pairs.txt"), "--json"]) == 0
    assert [row["second"] for row in rows(capsys)] == ["나", "라"]


def test_an_export_predicts_as_its_run_does(folder, capsys, tmp_path):
    assert run(["predict", str(folder / "label"), "--text", "정말 좋다", "--json"]) == 0
    expected = rows(capsys)
    assert run(["export", str(folder / "label"), "--best", "--to", str(tmp_path / "theirs")]) == 0
    capsys.readouterr()
    assert run(["predict", str(tmp_path / "theirs"), "--text", "정말 좋다", "--json"]) == 0
    (found,) = rows(capsys)
    assert found["label"] == expected[0]["label"]
    assert found["probabilities"] == pytest.approx(expected[0]["probabilities"], abs=1e-5)


@pytest.mark.parametrize(
    ("task", "words", "message"),
    [
        ("label", [], "no text"),
        ("label", ["FILE", "--text", "가"], "--text and files together"),
        ("label", ["--text", " "], "text 1: an empty text"),
        ("label", ["--text", "가", "--text", "나", "--second", "다"], "2 texts with --text and 1 with --second"),
        ("label", ["--text", "가", "--score"], "--score with --text"),
        ("label", ["FILE", "--label-column", "mood"], "--label-column would do nothing"),
        ("label", ["FILE", "--score", "--label-column", "mood"], "no column 'mood'"),
        ("label", ["FILE", "--format", "korsts"], "korsts is for the task score"),
        ("tags", ["--text", "가", "--second", "나"], "two texts, where spans are marked in one"),
        ("answer", ["--text", "누가"], "a question without the text"),
        ("nothing", ["--text", "가"], "no such folder"),
    ],
)
def test_what_cannot_be_told_says_why(folder, capsys, task, words, message):
    words = [str(folder / "label.tsv") if word == "FILE" else word for word in words]
    assert run(["predict", str(folder / task), *words]) == 3 or task == "label"
    captured = capsys.readouterr()
    assert message in " ".join(captured.err.split())
    assert captured.out == ""


def test_generate_sends_to_predict(folder, capsys):
    assert run(["generate", str(folder / "label"), "--prompt", "가"]) != 0
    assert "use textpipe predict" in capsys.readouterr().err
