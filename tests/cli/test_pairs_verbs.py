"""pack-pairs, training on pairs, config init and dry runs as a person types them."""

from __future__ import annotations

import tomllib

import pytest

from textpipe.cli.app import run
from textpipe.files import write_text

torch = pytest.importorskip("torch", reason="needs the extra: pip install 'textpipe[train]'")
FAST = ["--steps", "4", "--warmup-steps", "1", "--context", "24", "--batch-tokens", "200", "--sample-tokens", "4"]


@pytest.fixture(scope="module")
def folder(small_tokenizer_json, tmp_path_factory):
    """pairs.tsv, vocab/tokenizer.json, and shards made from them."""
    torch.set_num_threads(1)
    here = tmp_path_factory.mktemp("pairs")
    write_text(here / "pairs.tsv", "".join(f"바다 {n}\tthe sea {n}\n" for n in range(60)))
    write_text(here / "vocab" / "tokenizer.json", small_tokenizer_json)
    words = ["pack-pairs", str(here / "pairs.tsv"), "--val", str(here / "pairs.tsv"), "-t", str(here / "vocab")]
    assert run([*words, "--out", str(here / "shards")]) == 0
    return here


@pytest.mark.parametrize(
    ("architecture", "shape"),
    [
        ("transformer", ["--width", "16", "--heads", "2", "--encoder-layers", "1", "--decoder-layers", "1"]),
        ("seq2seq", ["--width", "16", "--embedding", "8", "--encoder-width", "8", "--attention", "bahdanau"]),
    ],
)
def test_a_model_of_pairs_is_trained_by_flags(folder, capsys, architecture, shape):
    words = ["train", architecture, str(folder / "shards"), "--out", str(folder / architecture), "--quiet"]
    assert run([*words, *FAST, *shape]) == 0
    out = capsys.readouterr().out
    assert [line.split("\t")[0] for line in out.splitlines()] == ["checkpoint", "loss", "bits per byte"]


def test_a_dry_run_says_sizes_and_time_and_writes_nothing(folder, capsys):
    words = ["train", "seq2seq", str(folder / "shards"), "--out", str(folder / "dry"), "--dry-run", *FAST]
    assert run(words) == 0
    facts = dict(line.split("\t") for line in capsys.readouterr().out.splitlines())
    assert facts["steps"] == "4"
    assert int(facts["parameters"].replace(",", "")) > 1000
    assert facts["a step on this machine"].endswith(" ms")
    assert facts["weights, gradients and optimiser"].endswith(" MB")
    assert facts["what trying it took"].endswith(" MB")
    assert not (folder / "dry").exists()


@pytest.mark.parametrize("architecture", ["gpt", "bert", "transformer", "seq2seq"])
def test_config_init_writes_a_file_that_train_takes_and_explains_every_key(architecture, tmp_path, capsys):
    path = tmp_path / "mine.toml"
    assert run(["config", "init", architecture, "--out", str(path)]) == 0
    from textpipe.config import load_toml
    from textpipe.training.presets import preset
    from textpipe.training.run_config import config_file

    file = load_toml(path, config_file(architecture)).model_dump(exclude_unset=True)
    model, train = preset("tiny", vocab_size=100, architecture=architecture)
    assert file["train"].items() <= train.model_dump().items()
    assert file["model"].items() <= model.model_dump().items()
    text = path.read_text(encoding="utf-8")
    assert text.count("\n# ") > len(tomllib.loads(text)["train"])
    assert "None" not in text
    assert run(["config", "init", architecture, "--out", str(path)]) == 3
    assert "there is a file already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["config", "init", "gtp"], 'did you mean "gpt"'),
        (["train", "seq2seq", "SHARDS", "--preset", "base"], "no preset 'base' of seq2seq"),
        (["train", "gpt", "SHARDS"], 'this is the output of "pack-pairs" (allowed: pack)'),
        (["pack-pairs", "PAIRS", "--source", "a", "--val", "PAIRS", "-t", "VOCAB"], "give the one or the other"),
        (["pack-pairs", "PAIRS", "--columns", "1,1", "--val", "PAIRS", "-t", "VOCAB"], "are not two columns"),
    ],
)
def test_bad_words_are_one_message(folder, capsys, words, message):
    places = {"SHARDS": folder / "shards", "PAIRS": folder / "pairs.tsv", "VOCAB": folder / "vocab"}
    assert run([str(places.get(word, word)) for word in words]) in (2, 3)
    assert message in capsys.readouterr().err
