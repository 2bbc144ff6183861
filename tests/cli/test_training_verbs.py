"""pack, train gpt and generate as a person types them."""

from __future__ import annotations

import json

import pytest

from textpipe.cli.app import run
from textpipe.files import write_text

torch = pytest.importorskip("torch", reason="needs the extra: pip install 'textpipe[train]'")
FAST = ["--steps", "6", "--warmup-steps", "2", "--context", "16", "--layers", "1", "--width", "32", "--batch-size", "4"]


@pytest.fixture(scope="module")
def folder(small_documents, small_tokenizer_json, tmp_path_factory):
    """corpus.jsonl, vocab/tokenizer.json, and shards and a run made from them."""
    torch.set_num_threads(1)
    here = tmp_path_factory.mktemp("verbs")
    write_text(here / "corpus.jsonl", "".join(document.to_json() + "\n" for document in small_documents))
    write_text(here / "vocab" / "tokenizer.json", small_tokenizer_json)
    assert run(pack_words(here)) == 0
    assert run(train_words(here)) == 0
    return here


def pack_words(here, *more):
    return [
        "pack",
        str(here / "corpus.jsonl"),
        "--tokenizer",
        str(here / "vocab"),
        "--out",
        str(here / "shards"),
        *more,
    ]


def train_words(here, *more):
    return ["train", "gpt", str(here / "shards"), "--out", str(here / "run"), "--quiet", *FAST, *more]


def test_pack_says_what_went_where(folder, capsys):
    run(pack_words(folder, "--quiet"))
    out, err = capsys.readouterr()
    assert [line.split("\t")[0] for line in out.splitlines()] == ["train", "val"]
    assert err == ""


def test_the_same_pack_again_is_done_at_once_and_another_is_refused(folder, capsys):
    assert run(pack_words(folder)) == 0
    assert "is there already, made from the same documents" in capsys.readouterr().err
    assert run(pack_words(folder, "--seed", "7")) == 3
    assert "packed with another seed" in capsys.readouterr().err


def test_the_same_training_again_changes_nothing(folder):
    before = (folder / "run" / "log.jsonl").read_bytes()
    assert run(train_words(folder)) == 0
    assert (folder / "run" / "log.jsonl").read_bytes() == before


def test_another_training_in_the_same_folder_is_refused(folder, capsys):
    assert run(train_words(folder, "--learning-rate", "0.5")) == 3
    assert "train.learning_rate = 0.0015 there and 0.5 now" in capsys.readouterr().err


def test_flags_go_over_the_file_and_the_file_over_the_preset(folder, tmp_path):
    write_text(tmp_path / "mine.toml", "[train]\nsteps = 5\nseed = 8\n[model]\nheads = 2\n")
    words = ["train", "gpt", str(folder / "shards"), "--out", str(tmp_path / "run"), "--quiet", *FAST]
    assert run([*words, "--config", str(tmp_path / "mine.toml")]) == 0
    from textpipe.training.checkpoints import Checkpoint, find_checkpoint

    config = Checkpoint.open(find_checkpoint(tmp_path / "run")).config
    assert (config.train.steps, config.train.seed, config.model.heads, config.model.layers) == (6, 8, 2, 1)
    assert config.train.learning_rate == 1.5e-3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[train]\nlearning_rat = 1\n", 'did you mean "learning_rate"'),
        ("[trian]\n", 'did you mean "train"'),
        ("[train]\nsteps = 0\n", "steps = 0"),
        ("[train\n", "not a TOML file"),
    ],
)
def test_a_wrong_configuration_file_is_named_with_its_key(folder, tmp_path, capsys, text, message):
    write_text(tmp_path / "bad.toml", text)
    assert run(train_words(folder, "--config", str(tmp_path / "bad.toml"))) == 2
    err = capsys.readouterr().err
    assert "bad.toml" in err
    assert message in err


@pytest.mark.parametrize(
    "case",
    [
        (["train", "gpt", "absent"], 3, "absent: no such folder"),
        (["train", "gpt", "{here}/corpus.jsonl"], 3, "not a folder"),
        (["train", "gpt", "{here}/vocab"], 3, "no manifest.json here"),
        (["train", "gpt", "{here}/shards", "--preset", "tyny"], 2, 'did you mean "tiny"'),
        (["train", "gpt", "{here}/shards", "--out", "{here}/new", "--context", "999999"], 3, "less than one sequence"),
        (["train", "gpt", "{here}/shards", "--out", "{here}/new", "--heads", "5"], 2, "not a multiple of heads 5"),
        (["generate", "absent"], 3, "absent: no such folder"),
        (["generate", "{here}/shards"], 3, "no checkpoint in this folder"),
        (["generate", "{here}/run", "--top-p", "2"], 2, "top_p"),
        (
            ["generate", "{here}/run", "--prompt", "The ferry is late again and nobody minds it at all"],
            3,
            "allowed: 16",
        ),
        (["pack", "absent", "--tokenizer", "{here}/vocab"], 3, "absent: no such file or folder"),
        (["pack", "{here}/corpus.jsonl", "--tokenizer", "absent"], 3, "absent"),
        (["pack", "{here}/corpus.jsonl", "--tokenizer", "{here}/vocab", "--text-unit", "word"], 2, "line"),
        (["pack", "{here}/corpus.jsonl", "--tokenizer", "{here}/vocab", "--eos", "</s>"], 2, "--eos"),
    ],
)
def test_bad_input_gets_one_message_and_its_exit_code(folder, tmp_path, monkeypatch, capsys, case):
    words, code, message = case
    monkeypatch.chdir(tmp_path)
    assert run([word.replace("{here}", str(folder)) for word in words]) == code
    err = capsys.readouterr().err
    assert message in err
    assert "Traceback" not in err


def test_generate_streams_the_prompt_and_its_text(folder, capsys):
    words = ["generate", str(folder / "run"), "--prompt", "바다", "--max-tokens", "12", "--seed", "3"]
    assert run(words) == 0
    first = capsys.readouterr().out
    assert first.startswith("바다")
    run(words)
    assert capsys.readouterr().out == first


def test_generate_as_json_gives_an_object_a_prompt(folder, capsys):
    words = ["generate", str(folder / "run"), "--prompt", "바다", "--prompt", "The", "--max-tokens", "5", "--json"]
    assert run(words) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["prompt"] for row in rows] == ["바다", "The"]
    assert all(isinstance(row["text"], str) for row in rows)


@pytest.mark.parametrize("again", ["the same command", "--resume"])
def test_an_interrupted_training_exits_130_and_goes_on(again, folder, tmp_path, interrupted_at, capsys):
    begun = ["train", "gpt", str(folder / "shards"), "--out", str(tmp_path / "run"), "--quiet"]
    words = [*begun, *FAST]
    with interrupted_at(3):
        assert run(words) == 130
    assert [path.name for path in (tmp_path / "run" / "checkpoints").iterdir()] == ["step-00000003"]
    assert "the same command goes on from there" in capsys.readouterr().err
    assert run(words if again == "the same command" else [*begun, "--resume"]) == 0
    newest = sorted((tmp_path / "run" / "checkpoints").iterdir())[-1]
    expected = folder / "run" / "checkpoints" / newest.name
    assert (newest / "model.safetensors").read_bytes() == (expected / "model.safetensors").read_bytes()


def test_only_a_run_that_is_there_is_gone_on_with(folder, tmp_path, capsys):
    words = ["train", "gpt", str(folder / "shards"), "--quiet", "--resume", "--out"]
    assert run([*words, str(tmp_path / "none")]) == 3
    assert "none: no run to go on with" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
    assert run([*words, str(folder / "run"), "--width", "48"]) == 3
    assert "model.width = " in capsys.readouterr().err
    assert run([*words, str(folder / "run"), "--preset", "nano"]) == 2
    assert "--preset with --resume" in capsys.readouterr().err
    assert run(["train", "bert", *words[2:], str(folder / "run")]) == 3
    assert "the run of a gpt (allowed: bert)" in capsys.readouterr().err


def test_a_prompt_that_is_too_long_is_refused_before_anything_is_trained_or_printed(folder, tmp_path, capsys):
    long = "바다 " * 40
    words = ["train", "gpt", str(folder / "shards"), "--out", str(tmp_path / "run"), "--quiet", *FAST]
    assert run([*words, "--prompt", "바다", "--prompt", long]) == 3
    assert "prompt 1 has" in capsys.readouterr().err
    assert not (tmp_path / "run" / "checkpoints").exists()
    assert run(["generate", str(folder / "run"), "--prompt", "바다", "--prompt", long]) == 3
    assert capsys.readouterr().out == ""


def test_zero_threads_are_a_usage_error(folder, capsys):
    assert run(["generate", str(folder / "run"), "--threads", "0"]) == 2
    assert "fault of textpipe" not in capsys.readouterr().err
