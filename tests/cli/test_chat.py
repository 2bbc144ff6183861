"""chat as a person types it."""

from __future__ import annotations

import io
import sys

import pytest

from textpipe.cli.app import run
from textpipe.files import write_text

torch = pytest.importorskip("torch", reason="needs the extra: pip install 'textpipe[train]'")
FAST = ["--steps", "2", "--warmup-steps", "1", "--context", "24", "--batch-tokens", "200", "--sample-tokens", "0"]
SHAPE = ["--width", "16", "--heads", "2", "--encoder-layers", "1", "--decoder-layers", "1"]


@pytest.fixture(scope="module")
def model(small_tokenizer_json, tmp_path_factory):
    """A run of two steps on messages and answers."""
    torch.set_num_threads(1)
    here = tmp_path_factory.mktemp("chat")
    write_text(here / "pairs.tsv", "".join(f"안녕 {n}\t네 {n}\n" for n in range(60)))
    write_text(here / "vocab" / "tokenizer.json", small_tokenizer_json)
    words = ["pack-pairs", str(here / "pairs.tsv"), "--val", str(here / "pairs.tsv"), "-t", str(here / "vocab")]
    assert run([*words, "--out", str(here / "shards")]) == 0
    words = ["train", "transformer", str(here / "shards"), "--out", str(here / "run"), "--quiet", *FAST, *SHAPE]
    assert run(words) == 0
    return str(here / "run")


def test_every_message_has_an_answer_on_a_line_and_an_empty_one_begins_anew(model, capsys, monkeypatch):
    capsys.readouterr()
    assert run(["chat", model, "--text", "안녕", "--text", "바다", "--max-tokens", "5"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert len(told) == 2
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("안녕\n\n바다\n".encode())))
    assert run(["chat", model, "--max-tokens", "5"]) == 0
    assert capsys.readouterr().out.splitlines() == told


def test_a_message_that_leaves_no_room_is_an_error_where_nobody_types(model, capsys):
    assert run(["chat", model, "--text", "가나다" * 30]) == 3
    assert "leaves no room" in capsys.readouterr().err


def test_a_model_of_dialogues_reads_what_was_said_and_one_of_pairs_says_how_to_make_it_so(
    model, small_tokenizer_json, tmp_path, capsys, monkeypatch
):
    assert run(["chat", model, "--text", "안녕", "--history", "1"]) == 2
    assert "pack-pairs --history" in capsys.readouterr().err
    write_text(tmp_path / "talks.txt", "".join(f"안녕 {n}\n네 {n}\n또 {n}\n응 {n}\n\n" for n in range(40)))
    write_text(tmp_path / "vocab" / "tokenizer.json", small_tokenizer_json)
    talks, shards = str(tmp_path / "talks.txt"), str(tmp_path / "shards")
    words = ["pack-pairs", talks, "--val", talks, "-t", str(tmp_path / "vocab"), "--history", "1", "--out", shards]
    assert run([*words, "--source", talks]) == 2
    assert run(words) == 0
    assert "120 pairs" in capsys.readouterr().out
    assert run(["train", "transformer", shards, "--out", str(tmp_path / "run"), "--quiet", *FAST, *SHAPE]) == 0
    read = []
    from textpipe.generation.decoding import TextWriter

    own = TextWriter.row_of_turns
    monkeypatch.setattr(TextWriter, "row_of_turns", lambda self, turns: (read.append(list(turns)), own(self, turns))[1])
    talk = ["chat", str(tmp_path / "run"), "--max-tokens", "2"]
    assert run([*talk, "--text", "가", "--text", "나", "--text", "다"]) == 0
    assert [len(turns) for turns in read] == [1, 3, 3]
    assert read[-1][0::2] == ["나", "다"]
    assert run([*talk, "--history", "2", "--text", "가"]) == 2
    assert "allowed: 1, as this model was trained on" in capsys.readouterr().err


def test_an_end_of_input_at_a_terminal_leaves_the_line_of_the_prompt(model, capsys, monkeypatch):
    typed = io.TextIOWrapper(io.BytesIO("안녕\n".encode()))
    typed.isatty = lambda: True
    monkeypatch.setattr(sys, "stdin", typed)
    capsys.readouterr()
    assert run(["chat", model, "--max-tokens", "2"]) == 0
    assert capsys.readouterr().err == "> > \n"
