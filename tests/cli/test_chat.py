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
