"""translate as a person types it: texts, files, standard input, alignments, a picture, scores, averaged checkpoints."""

from __future__ import annotations

import io
import json
import re
import sys

import pytest

from textpipe.cli.app import run
from textpipe.files import write_text

torch = pytest.importorskip("torch", reason="needs the extra: pip install 'textpipe[train]'")
FAST = ["--steps", "4", "--warmup-steps", "1", "--context", "24", "--batch-tokens", "200", "--sample-tokens", "0"]
SHAPE = ["--width", "16", "--heads", "2", "--encoder-layers", "1", "--decoder-layers", "1"]
LINES = ["바다 1", "", "배는 항구로", "바다"]


@pytest.fixture(scope="module")
def folder(small_tokenizer_json, tmp_path_factory):
    """A run of four steps with four checkpoints, and sources.txt."""
    torch.set_num_threads(1)
    here = tmp_path_factory.mktemp("translate")
    write_text(here / "pairs.tsv", "".join(f"바다 {n}\tthe sea {n}\n" for n in range(60)))
    write_text(here / "vocab" / "tokenizer.json", small_tokenizer_json)
    words = ["pack-pairs", str(here / "pairs.tsv"), "--val", str(here / "pairs.tsv"), "-t", str(here / "vocab")]
    assert run([*words, "--out", str(here / "shards")]) == 0
    words = ["train", "transformer", str(here / "shards"), "--out", str(here / "run"), "--quiet", *FAST, *SHAPE]
    assert run([*words, "--checkpoint-every", "1", "--keep-checkpoints", "4"]) == 0
    write_text(here / "sources.txt", "".join(f"{line}\n" for line in LINES))
    return here


def translated(folder, capsys, *words):
    capsys.readouterr()
    assert run(["translate", str(folder / "run"), *words, "--max-tokens", "6", "--threads", "1"]) == 0
    return capsys.readouterr().out.splitlines()


def test_every_line_has_its_target_whatever_way_it_comes_in(folder, capsys, monkeypatch):
    told = translated(folder, capsys, str(folder / "sources.txt"))
    assert len(told) == len(LINES)
    assert told[1] == ""
    assert all(told[:1] + told[2:])
    texts = [word for line in LINES if line for word in ("--text", line)]
    assert translated(folder, capsys, *texts, "--batch-size", "1") == [line for line in told if line]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("\n".join(LINES).encode())))
    assert translated(folder, capsys, "-") == told


def test_alignments_and_a_picture_are_of_the_tokens_written(folder, capsys, tmp_path):
    words = ["--text", "바다 1", "--alignments", "--picture", str(tmp_path / "a.svg")]
    (line,) = translated(folder, capsys, *words)
    pairs = [tuple(map(int, pair.split("-"))) for pair in line.split("\t")[1].split()]
    assert [written for _, written in pairs] == list(range(len(pairs)))
    (row,) = map(json.loads, translated(folder, capsys, "--text", "바다 1", "--alignments", "--json"))
    assert [tuple(pair) for pair in row["alignment"]] == pairs
    assert len(row["target_tokens"]) == len(pairs) + 1
    assert (tmp_path / "a.svg").read_text(encoding="utf-8").startswith("<svg")


def test_bleu_and_chrf_come_with_signatures_that_name_the_tokens(folder, capsys, tmp_path):
    told = translated(folder, capsys, str(folder / "sources.txt"))
    write_text(tmp_path / "same.txt", "".join(f"{line}\n" for line in told))
    words = [str(folder / "sources.txt"), "--reference", str(tmp_path / "same.txt"), "--out", str(tmp_path / "out.txt")]
    scores = dict(line.split("\t") for line in translated(folder, capsys, *words, "--tokenization", "char"))
    assert "tok:char" in scores["BLEU"]
    assert float(scores["chrF"].split()[0]) > 99
    assert (tmp_path / "out.txt").read_text(encoding="utf-8").splitlines() == told


def test_the_mean_of_checkpoints_is_that_of_an_export(folder, capsys, tmp_path):
    (found,) = map(json.loads, translated(folder, capsys, "--text", "바다", "--average", "3", "--json"))
    assert run(["export", str(folder / "run"), "--average", "3", "--to", str(tmp_path / "mean")]) == 0
    capsys.readouterr()
    assert run(["translate", str(tmp_path / "mean"), "--text", "바다", "--max-tokens", "6", "--json"]) == 0
    (expected,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (found["text"], found["score"]) == (expected["text"], pytest.approx(expected["score"], abs=1e-4))
    (newest,) = map(json.loads, translated(folder, capsys, "--text", "바다", "--json"))
    assert newest["score"] != found["score"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "no source"),
        (["바다"], "바다: no such file. a source itself is given with --text"),
        (["SOURCES", "--text", "가"], "--text and files together"),
        (["SOURCES", "--picture", "a.svg"], "--picture is of one source"),
        (["SOURCES", "--best", "--average", "2"], "--best with --average"),
        (["--text", "가", "--average", "9"], "4 checkpoints where the mean of 9"),
        (["--text", "가", "--reference", "SOURCES"], "--reference with --text"),
        (["SOURCES", "--reference", "SHORT"], "ends before line 3, which"),
        (["SOURCES", "--reference", "LONG"], "sources.txt: line 5: ends before line 5"),
        (["SOURCES", "--reference", "NONE"], "no such file"),
        (["SOURCES", "--out", "SHORT"], "there is a file already"),
        (["--text", "가", "--picture", "SHORT"], "there is a file already"),
        (["LONGLINE", "--out", "NEW", "--batch-size", "1"], "line 3: 44 tokens (allowed: 24, the model's context)"),
        (["LONGLINE"], "shorten it, or let what fits be read (--cut)"),
        (["--text", "가", "--text", "바다 " * 40], "text 2: 44 tokens"),
        (["--text", "가", "--beams", "0"], "beams"),
    ],
)
def test_what_cannot_be_translated_says_why_and_prints_nothing(folder, capsys, tmp_path, words, message):
    write_text(tmp_path / "short.txt", "a\nb\n")
    write_text(tmp_path / "long.txt", "a\n" * 5)
    write_text(tmp_path / "line.txt", "바다 1\n\n" + "바다 " * 40)
    places = {"SOURCES": folder / "sources.txt", "SHORT": tmp_path / "short.txt", "LONG": tmp_path / "long.txt"}
    places |= {"NONE": tmp_path / "none.txt", "LONGLINE": tmp_path / "line.txt", "NEW": tmp_path / "new.txt"}
    assert run(["translate", str(folder / "run"), *(str(places.get(word, word)) for word in words)]) != 0
    captured = capsys.readouterr()
    assert message in " ".join(captured.err.split())
    assert captured.out == ""
    assert not (tmp_path / "new.txt").exists()


def test_a_line_too_long_for_the_model_is_cut_where_that_is_asked_for(folder, capsys, tmp_path):
    write_text(tmp_path / "line.txt", "바다 1\n\n" + "바다 " * 40 + "\n바다\n")
    assert run(["translate", str(folder / "run"), str(tmp_path / "line.txt"), "--cut", "--max-tokens", "6"]) == 0
    captured = capsys.readouterr()
    assert [bool(line) for line in captured.out.splitlines()] == [True, False, True, True]
    assert re.search(r"line 3: its last \d+ tokens were not read", captured.err)
    assert captured.err.count("were not read") == 1


def test_generate_goes_on_from_prompts_and_translate_sends_there(folder, capsys, small_packed, tmp_path):
    words = [
        "train",
        "gpt",
        str(small_packed.path),
        "--steps",
        "1",
        "--warmup-steps",
        "1",
        "--context",
        "16",
        "--quiet",
    ]
    assert run([*words, "--layers", "1", "--width", "16", "--heads", "2", "--out", str(tmp_path / "gpt")]) == 0
    capsys.readouterr()
    assert run(["translate", str(tmp_path / "gpt"), "--text", "가"]) != 0
    assert "this model writes no targets of sources" in capsys.readouterr().err


def test_what_bleu_cannot_count_is_said_before_anything_is_translated(folder, capsys, tmp_path, monkeypatch):
    def never(*_given, **_words):
        raise AssertionError("translated before the settings were looked at")

    monkeypatch.setattr("textpipe.generation.translating.Translator.translate", never)
    sources = str(folder / "sources.txt")
    words = ["translate", str(folder / "run"), sources, "--tokenization"]
    assert run([*words, "klingon", "--reference", sources, "--out", str(tmp_path / "out.txt")]) == 2
    assert "unknown tokenization 'klingon'" in capsys.readouterr().err
    assert run([*words, "char"]) == 2
    assert "--tokenization would do nothing without --reference" in capsys.readouterr().err
    assert not (tmp_path / "out.txt").exists()
