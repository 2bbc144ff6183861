"""compare from the command line."""

from __future__ import annotations

import json

import pytest
from tokenizer_samples import byte_level_json

from textpipe import Tokenizer
from textpipe.cli.app import run


@pytest.fixture
def folder(tmp_path):
    Tokenizer.from_str(byte_level_json()).save(tmp_path / "one.json")
    other = json.loads(byte_level_json())
    kept = other["model"]["merges"][:-1]
    other["model"]["merges"] = kept
    (tmp_path / "other.json").write_text(json.dumps(other), encoding="utf-8")
    (tmp_path / "texts.txt").write_text("안녕하세요\nit's 가\x1b[2J\u202e나\n", encoding="utf-8")
    return tmp_path


def test_two_equal_tokenizers_are_said_to_be_the_same(folder, capsys):
    one, texts = str(folder / "one.json"), str(folder / "texts.txt")
    assert run(["compare", one, one, texts]) == 0
    shown = capsys.readouterr().out
    assert "all stages the same" in shown
    assert "2 documents: 2 with the same ids, 2 cut the same; 0.00 %" in shown


def test_json_holds_the_comparison(folder, capsys):
    assert (
        run(["compare", str(folder / "one.json"), str(folder / "other.json"), str(folder / "texts.txt"), "--json"]) == 0
    )
    row = json.loads(capsys.readouterr().out)
    assert row["stages_different"] == ["model"]
    assert row["num_documents"] == 2
    assert row["num_documents_same_cut"] == 2 - len(row["documents"])


def test_differences_are_shown_without_control_characters(folder, capsys):
    blank = json.loads(byte_level_json())
    blank["model"]["merges"] = []
    (folder / "bytes.json").write_text(json.dumps(blank), encoding="utf-8")
    assert run(["compare", str(folder / "one.json"), str(folder / "bytes.json"), str(folder / "texts.txt")]) == 0
    out = capsys.readouterr().out
    assert "worst documents" in out
    assert "texts.txt:0" in out
    assert not set(out) & {"\x1b", "\u202e"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--examples", "0"], "0 examples cannot be shown"), (["absent.txt"], "absent.txt")],
)
def test_bad_input_is_one_message(folder, capsys, arguments, message):
    assert run(["compare", str(folder / "one.json"), str(folder / "one.json"), *arguments]) == 3
    assert message in capsys.readouterr().err
