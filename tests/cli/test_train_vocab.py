"""``textpipe train-vocab``: what it writes, that it can be run again, and its refusals."""

from __future__ import annotations

import json

import pytest

from textpipe.cli.app import run
from textpipe.files import read_manifest
from textpipe.tokenizer import Tokenizer

TEXT = "밥을 먹고 학교에 갔다. 밥을 또 먹었다ㅋㅋㅋ\nThe ferry is late again, and nobody on the pier minds.\n" * 40


@pytest.fixture
def text(tmp_path):
    file = tmp_path / "text.txt"
    file.write_text(TEXT, encoding="utf-8")
    return file


def train(text, out, *flags):
    return run(["train-vocab", str(text), "--out", str(out), "--quiet", *flags])


def test_the_folder_holds_a_tokenizer_a_card_and_a_manifest(text, tmp_path, capsys):
    out = tmp_path / "vocab"
    assert train(text, out, "--vocab-size", "300") == 0
    tokenizer = Tokenizer.from_file(out / "tokenizer.json")
    assert tokenizer.get_vocab_size() == 300
    assert tokenizer.token_to_id("<|endoftext|>") == 0
    assert tokenizer.decode(tokenizer.encode(TEXT).ids) == TEXT
    manifest = read_manifest(out, kind="train-vocab", verify=True)
    assert {row["path"] for row in manifest["files"]} == {"tokenizer.json", "README.md"}
    assert manifest["counts"]["merges"] == 43
    assert tokenizer.sha256 in (out / "README.md").read_text(encoding="utf-8")
    assert "ko\t" in capsys.readouterr().out


def test_the_tokenizer_loads_and_encodes_alike_in_tokenizers(text, tmp_path):
    import tokenizers

    out = tmp_path / "vocab"
    assert train(text, out, "--vocab-size", "320") == 0
    theirs = tokenizers.Tokenizer.from_file(str(out / "tokenizer.json"))
    ours = Tokenizer.from_file(out / "tokenizer.json")
    for line in [*TEXT.splitlines()[:2], "\u1112\u1161\u11ab글 😀", ""]:
        assert ours.encode(line).ids == theirs.encode(line).ids


def test_the_same_command_again_changes_nothing(text, tmp_path):
    out = tmp_path / "vocab"
    assert train(text, out, "--vocab-size", "300") == 0
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in out.iterdir()}
    assert train(text, out, "--vocab-size", "300") == 0
    assert before == {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in out.iterdir()}


@pytest.mark.parametrize("change", ["settings", "texts"])
def test_a_folder_made_otherwise_is_not_written_over(text, tmp_path, capsys, change):
    out = tmp_path / "vocab"
    assert train(text, out, "--vocab-size", "300") == 0
    if change == "texts":
        text.write_text(TEXT + "끝\n", encoding="utf-8")
    assert train(text, out, "--vocab-size", "300" if change == "texts" else "310") == 3
    assert "other settings or other texts" in capsys.readouterr().err


def test_a_size_below_the_byte_alphabet_is_refused_before_reading(tmp_path, capsys):
    assert train(tmp_path / "absent.txt", tmp_path / "vocab", "--vocab-size", "100") == 3
    assert "allowed: 257 or more" in capsys.readouterr().err


def test_a_size_below_the_alphabet_of_the_text_is_refused_with_the_least(text, tmp_path, capsys):
    assert train(text, tmp_path / "vocab", "--vocab-size", "5", "--pre-tokenizer", "whitespace") == 3
    assert "is smaller than the alphabet" in capsys.readouterr().err
    assert not (tmp_path / "vocab").exists()


def test_an_empty_special_token_is_refused(text, tmp_path, capsys):
    assert train(text, tmp_path / "vocab", "--vocab-size", "300", "--special-token", "") == 2
    assert "special_tokens.0 = ''" in capsys.readouterr().err


def test_an_empty_text_is_refused(tmp_path, capsys):
    empty = tmp_path / "empty.txt"
    empty.write_bytes(b"")
    assert train(empty, tmp_path / "vocab") == 3
    assert "no text to learn from" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "word"),
    [(["--preset", "gpt3"], "gpt2"), (["--normalizer", "nfq"], "nfkc"), (["--vocab-size", "0"], "vocab")],
)
def test_an_unknown_value_is_a_usage_error_that_names_the_known(text, tmp_path, capsys, flags, word):
    assert train(text, tmp_path / "vocab", *flags) == 2
    assert word in capsys.readouterr().err


def test_a_dry_run_writes_nothing(text, tmp_path, capsys):
    assert train(text, tmp_path / "vocab", "--dry-run") == 0
    assert "vocab_size\t32000" in capsys.readouterr().out
    assert not (tmp_path / "vocab").exists()


def test_the_preset_of_gpt2_keeps_decomposed_text_as_it_is(text, tmp_path):
    out = tmp_path / "vocab"
    assert train(text, out, "--vocab-size", "300", "--preset", "gpt2") == 0
    assert json.loads((out / "tokenizer.json").read_text(encoding="utf-8"))["normalizer"] is None


def test_characters_outside_a_character_vocabulary_are_unknown(text, tmp_path):
    out = tmp_path / "vocab"
    assert train(text, out, "--vocab-size", "200", "--pre-tokenizer", "whitespace") == 0
    assert Tokenizer.from_file(out / "tokenizer.json").encode("밥 힣").tokens[-1] == "<unk>"
