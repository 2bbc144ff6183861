"""textpipe align: lines of links, a lexicon, and what it refuses."""

from __future__ import annotations

import pytest

from textpipe.cli.app import run

PAIRS = "das Haus\tthe house\ndas Buch\tthe book\nein Buch\ta book\n"
PLAIN = ["--null-share", "0", "--quiet"]


@pytest.fixture
def pairs(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text(PAIRS, encoding="utf-8")
    return path


def test_links_are_printed_a_line_a_pair_as_places_or_words(pairs, capsys):
    assert run(["align", str(pairs), *PLAIN]) == 0
    assert capsys.readouterr().out == "0-0 1-1\n" * 3
    assert run(["align", str(pairs), "--words", "--model", "model1", *PLAIN]) == 0
    assert capsys.readouterr().out.splitlines()[1] == "das-the Buch-book"


def test_aligned_files_turned_columns_and_a_lexicon(pairs, tmp_path, capsys):
    assert run(["align", str(pairs), "--columns", "2,1", "--words", *PLAIN]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "the-das house-Haus"
    sides = [tmp_path / name for name in ("train.de", "train.en")]
    for place, path in enumerate(sides):
        lines = [row.split("\t")[place] for row in PAIRS.splitlines()]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    out, lexicon = tmp_path / "links.txt", tmp_path / "lexicon.tsv"
    told = ["--out", str(out), "--lexicon", str(lexicon)]
    assert run(["align", "--source", str(sides[0]), "--target", str(sides[1]), *told, *PLAIN]) == 0
    assert out.read_text(encoding="utf-8") == "0-0 1-1\n" * 3
    rows = [line.split("\t") for line in lexicon.read_text(encoding="utf-8").splitlines()]
    assert rows[:2] == [["buch", "book", "2", "1.0000", "1.0000"], ["das", "the", "2", "1.0000", "1.0000"]]
    assert capsys.readouterr().out == ""


def test_tokens_of_a_vocabulary_are_aligned(pairs, tmp_path, capsys):
    vocab = tmp_path / "vocab"
    assert run(["train-vocab", str(pairs), "--vocab-size", "300", "--out", str(vocab), "--quiet"]) == 0
    capsys.readouterr()
    assert run(["align", str(pairs), "-t", str(vocab), "--words", *PLAIN]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first
    assert all(word.count("-") == 1 for word in first.split())


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--model", "model5"], "model"),
        (["--columns", "1,7"], "line 1"),
        (["--source", "x"], "pairs are a file of pairs, or two aligned files"),
        (["--source-tokenizer", "x"], "--source-tokenizer without --tokenizer"),
    ],
)
def test_what_cannot_be_aligned_is_refused_with_one_message(flags, message, pairs, capsys):
    assert run(["align", str(pairs), *flags]) in (2, 3)
    told = capsys.readouterr().err
    assert message in told
    assert told.count("textpipe: error:") == 1


def test_a_file_that_is_there_is_not_written_over(pairs, tmp_path, capsys):
    out = tmp_path / "links.txt"
    out.write_text("mine", encoding="utf-8")
    assert run(["align", str(pairs), "--out", str(out)]) != 0
    assert "there is a file already" in capsys.readouterr().err
    assert out.read_text(encoding="utf-8") == "mine"
