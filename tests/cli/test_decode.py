"""decode: ids that no token has are said, not passed over."""

from __future__ import annotations

import pytest
from tokenizer_samples import byte_level_json

from textpipe.cli.app import run
from textpipe.files import write_text


@pytest.mark.parametrize("number", ["400", "999999999"])
def test_an_id_that_no_token_has_is_refused(number, small_tokenizer_json, tmp_path, capsys):
    write_text(tmp_path / "tokenizer.json", small_tokenizer_json)
    assert run(["decode", "1", number, "--tokenizer", str(tmp_path)]) == 3
    assert f"no token has the id {number}" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["ids.npy", "ids.jsonl", "ids.jsonl.zst"])
def test_every_file_that_encode_writes_is_read(tmp_path, capsys, name):
    vocabulary, text = tmp_path / "tokenizer.json", tmp_path / "text.txt"
    vocabulary.write_text(byte_level_json(), encoding="utf-8")
    text.write_text("밥을 먹고\nferry ㅋㅋ 😀\n", encoding="utf-8")
    options = ["--tokenizer", str(vocabulary), "--file"]
    assert run(["encode", *options, str(text), "--out", str(tmp_path / name)]) == 0
    capsys.readouterr()
    assert run(["decode", *options, str(tmp_path / name)]) == 0
    assert capsys.readouterr().out == text.read_text(encoding="utf-8")


@pytest.mark.parametrize("line", ["{}", "[1]", '{"ids": [1, "2"]}', '{"ids": [-1]}', '{"ids": [true]}', "[" * 99999])
def test_a_line_that_is_no_list_of_ids_is_named(tmp_path, capsys, line):
    vocabulary, file = tmp_path / "tokenizer.json", tmp_path / "ids.jsonl"
    vocabulary.write_text(byte_level_json(), encoding="utf-8")
    file.write_text('{"ids": [5]}\n' + line + "\n", encoding="utf-8")
    assert run(["decode", "--tokenizer", str(vocabulary), "--file", str(file)]) == 3
    assert "ids.jsonl: line 2: is no list of ids" in capsys.readouterr().err


def test_inspect_shows_parts_of_a_character_as_the_same_bytes_wherever_it_shows_them(tmp_path, capsys):
    vocabulary = tmp_path / "tokenizer.json"
    vocabulary.write_text(byte_level_json(), encoding="utf-8")
    assert run(["inspect", "뷁 힣", "--tokenizer", str(vocabulary)]) == 0
    shown = capsys.readouterr().out
    pieces = next(line for line in shown.splitlines() if line.startswith("pieces"))
    assert "‹" in pieces
    assert all(f"‹{part.split('›')[0]}›" in shown.split("characters", 1)[1] for part in pieces.split("‹")[1:])
    assert "␣" not in "".join(part.split("›")[0] for part in pieces.split("‹")[1:])
