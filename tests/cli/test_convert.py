"""convert from the command line."""

from __future__ import annotations

import json

import pytest
from tokenizer_samples import byte_level_json

from textpipe import Tokenizer
from textpipe.cli.app import run
from textpipe.normalizers import NFC


def write_tokenizer(folder, *, normalizer=None):
    tokenizer = Tokenizer.from_str(byte_level_json())
    tokenizer.normalizer = normalizer
    tokenizer.save(folder / "tokenizer.json")
    return tokenizer


def test_convert_writes_the_format_of_the_name_and_back(tmp_path, capsys):
    tokenizer = write_tokenizer(tmp_path)
    assert run(["convert", str(tmp_path), str(tmp_path / "out" / "vocab.json")]) == 0
    assert "merges.txt: vocab.json, " in capsys.readouterr().out
    assert run(["convert", str(tmp_path / "out"), str(tmp_path / "back.json")]) == 0
    assert Tokenizer.from_file(tmp_path / "back.json").to_str() == tokenizer.to_str()


def test_convert_names_what_would_be_lost_and_writes_nothing(tmp_path, capsys):
    write_tokenizer(tmp_path, normalizer=NFC())
    command = ["convert", str(tmp_path), str(tmp_path / "out" / "vocab.json")]
    assert run(command) == 3
    shown = capsys.readouterr()
    assert shown.out == "lost: normalizer NFC() is read back as None\n"
    assert "--accept-losses" in shown.err
    assert not (tmp_path / "out").exists()
    assert run([*command, "--dry-run"]) == 0
    assert not (tmp_path / "out").exists()
    assert run([*command, "--accept-losses"]) == 0
    assert (tmp_path / "out" / "merges.txt").exists()


def test_convert_gives_its_outcome_as_json(tmp_path, capsys):
    write_tokenizer(tmp_path, normalizer=NFC())
    out = tmp_path / "vocab.json"
    assert run(["convert", str(tmp_path), str(out), "--accept-losses", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "schema_version": 1,
        "source": str(tmp_path / "tokenizer.json"),
        "from": "tokenizer.json",
        "to": "vocab.json",
        "losses": ["normalizer NFC() is read back as None"],
        "notes": [],
        "written": [str(out), str(tmp_path / "merges.txt")],
    }


def test_a_refusal_as_json_tells_the_losses_too(tmp_path, capsys):
    write_tokenizer(tmp_path, normalizer=NFC())
    assert run(["convert", str(tmp_path), str(tmp_path / "vocab.json"), "--json"]) == 3
    shown = capsys.readouterr()
    outcome = json.loads(shown.out)
    assert outcome["losses"] == ["normalizer NFC() is read back as None"]
    assert outcome["written"] == []
    assert "--accept-losses" in shown.err
    assert not (tmp_path / "vocab.json").exists()


def test_a_format_goes_by_the_name_of_its_file_too(tmp_path, capsys):
    write_tokenizer(tmp_path)
    assert run(["convert", str(tmp_path), str(tmp_path / "out"), "--to", "tokenizer.model"]) == 3
    assert "a .model holds pieces of characters" in capsys.readouterr().err
    assert run(["convert", str(tmp_path), str(tmp_path / "out"), "--to", "modle"]) == 3
    assert 'there is no format "modle". did you mean "model"?' in capsys.readouterr().err


def test_a_name_that_tells_no_format_is_refused_with_the_list(tmp_path, capsys):
    write_tokenizer(tmp_path)
    assert run(["convert", str(tmp_path), str(tmp_path / "out.xyz")]) == 3
    assert "tokenizer.json, transformers" in capsys.readouterr().err


@pytest.mark.parametrize("target", ["tokenizer.json", ""])
def test_a_tokenizer_is_not_written_over_itself(target, small_tokenizer_json, tmp_path, capsys):
    folder = tmp_path / "vocab"
    folder.mkdir()
    (folder / "tokenizer.json").write_text(small_tokenizer_json, encoding="utf-8")
    assert run(["convert", str(folder), str(folder / target), "--accept-losses"]) == 3
    assert "this would be written over what is read" in capsys.readouterr().err
    assert (folder / "tokenizer.json").read_text(encoding="utf-8") == small_tokenizer_json
