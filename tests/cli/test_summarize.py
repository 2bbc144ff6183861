"""summarize as a person types it: an extract, a model's summary beside it, and how good both are."""

from __future__ import annotations

import pytest

from textpipe.cli.app import run
from textpipe.evaluation.extracts import extract
from textpipe.evaluation.summaries import score_summaries
from textpipe.files import write_text

NEWS = "새 도서관이 문을 열었다. 도서관은 시장 옆에 있다. 점심에는 비가 왔다. 도서관 앞에는 시장이 선다."
SHORT = "짧다. 아주 짧다."


@pytest.fixture
def texts(tmp_path):
    for name, text in (("a", NEWS), ("b", SHORT), ("a-short", "도서관이 문을 열었다.\n"), ("b-short", "짧다")):
        write_text(tmp_path / f"{name}.txt", text)
    write_text(tmp_path / "both.tsv", f"{NEWS}\t도서관이 문을 열었다.\n{SHORT}\t짧다\n")
    return tmp_path


def scored(err):
    return {row[0]: row[1:] for row in (line.split("\t") for line in err.splitlines())}


def test_scores_are_those_of_the_extract_and_of_the_first_sentences(texts, capsys):
    pytest.importorskip("sacrebleu")
    files = [str(texts / "a.txt"), str(texts / "b.txt"), "-n", "1"]
    references = ["--reference", str(texts / "a-short.txt"), "-r", str(texts / "b-short.txt")]
    assert run(["summarize", *files, *references]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [extract(NEWS, 1)[0], "", extract(SHORT, 1)[0]]
    told = scored(err)
    for method in ("textrank", "lead"):
        made = [extract(text, 1, method=method)[0] for text in (NEWS, SHORT)]
        assert "\t".join(told[method]) == str(score_summaries(made, ["도서관이 문을 열었다.", "짧다"]))
    assert run(["summarize", str(texts / "both.tsv"), "-n", "1"]) == 0
    assert capsys.readouterr() == (out, err)


def test_a_model_writes_beside_the_extract_and_is_scored_with_it(texts, small_tokenizer_json, capsys):
    torch = pytest.importorskip("torch", reason="needs the extra: pip install 'textpipe[train]'")
    torch.set_num_threads(1)
    write_text(texts / "vocab" / "tokenizer.json", small_tokenizer_json)
    pairs, vocab, shards, model = (str(texts / name) for name in ("both.tsv", "vocab", "shards", "run"))
    assert run(["pack-pairs", pairs, "--val", pairs, "-t", vocab, "--out", shards]) == 0
    size = ["--width", "16", "--heads", "2", "--encoder-layers", "1", "--decoder-layers", "1", "--context", "256"]
    fast = ["--steps", "2", "--warmup-steps", "1", "--batch-tokens", "600", "--sample-tokens", "0", "--quiet"]
    assert run(["train", "transformer", shards, "--out", model, *size, *fast]) == 0
    capsys.readouterr()
    assert run(["summarize", pairs, "-n", "2", "--model", model, "--beams", "1", "--max-tokens", "6"]) == 0
    out, err = capsys.readouterr()
    rows = [line.split("\t")[0] for line in out.splitlines()]
    assert rows == ["textrank", "textrank", "model", "", "textrank", "textrank", "model"]
    assert list(scored(err)) == ["textrank", "model", "lead"]
    write_text(texts / "long.txt", "문을 열었다. " * 300)
    words = ["summarize", str(texts / "long.txt"), "--model", model, "--max-tokens", "6"]
    assert run(words) == 3
    assert "text 1: " in (said := capsys.readouterr()).err
    assert ("let what fits be read (--cut)" in said.err, said.out) == (True, "")
    assert run([*words, "--cut"]) == 0
    assert "tokens were not read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["a.txt", "b.txt", "--reference", "a-short.txt"], "2 texts with 1 of their summaries"),
        (["both.tsv", "--reference", "a-short.txt"], "--reference with files that have summaries"),
        (["both.tsv", "a.txt"], "files of texts and summaries beside texts"),
        (["a.txt", "--best"], "--best would do nothing without --model"),
        (["a.txt", "--max-tokens=0"], "--max-tokens would do nothing without --model"),
        (["a.txt", "--beams=3"], "--beams would do nothing without --model"),
        (["a.txt", "--cut"], "--cut would do nothing without --model"),
        (["a.txt", "--sentences=0"], "--sentences: 0 sentences (allowed: 1 or more)"),
        (["a.txt", "--model", "none"], "none"),
    ],
)
def test_what_does_not_go_together_is_refused_before_anything_is_printed(texts, capsys, words, message):
    given = [word if word.startswith("-") else str(texts / word) for word in words]
    assert run(["summarize", *given]) != 0
    out, err = capsys.readouterr()
    assert message in err
    assert out == ""


def test_a_text_of_nothing_has_no_summary_but_a_number(texts, capsys, tmp_path):
    write_text(tmp_path / "empty.txt", " \n")
    assert run(["summarize", str(texts / "a.txt"), str(tmp_path / "empty.txt")]) == 3
    out, err = capsys.readouterr()
    assert "text 2: an empty text" in err
    assert out == ""
