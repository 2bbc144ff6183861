"""train finetune as a person types it."""

from __future__ import annotations

import json
import shutil

import pytest

from textpipe.cli.app import run
from textpipe.files import write_text
from textpipe.implementations import BertWordPieceTokenizer

torch = pytest.importorskip("torch", reason="needs the extra: pip install 'textpipe[train]'")
GOOD, BAD = ("정말 재미있는 영화", "배우도 훌륭하다"), ("지루하고 아깝다", "다시는 안 본다")
SMALL = ["--context", "32", "--layers", "1", "--heads", "2", "--width", "16"]
FAST = ["--epochs", "2", "--batch-size", "4", "--threads", "1", "--quiet"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """train.tsv, dev.tsv, a vocabulary, and a BERT pretrained for two steps."""
    torch.set_num_threads(1)
    here = tmp_path_factory.mktemp("finetune")
    rows = [(text, label) for label, texts in (("긍정", GOOD), ("부정", BAD)) for text in texts] * 3
    write_text(here / "train.tsv", "review\tmood\n" + "".join(f"{text}\t{label}\n" for text, label in rows))
    write_text(here / "dev.tsv", "review\tmood\n정말 훌륭하다\t긍정\n지루하고\t부정\n")
    tokenizer = BertWordPieceTokenizer(lowercase=False, strip_accents=False)
    tokenizer.train_from_iterator([*GOOD, *BAD] * 4, vocab_size=90, show_progress=False)
    write_text(here / "vocab" / "tokenizer.json", tokenizer.to_str())
    write_text(here / "corpus.txt", "\n".join([*GOOD, *BAD] * 40))
    words = ["--tokenizer", str(here / "vocab"), "--out", str(here / "shards"), "--eos", "[SEP]", "--quiet"]
    assert run(["pack", str(here / "corpus.txt"), *words, "--val-fraction", "0.2"]) == 0
    words = ["--out", str(here / "bert"), "--steps", "2", "--warmup-steps", "1", "--batch-size", "4", "--quiet", *SMALL]
    assert run(["train", "bert", str(here / "shards"), *words]) == 0
    return here


def words_for(folder, out, *more):
    columns = ["--task", "label", "--text-column", "review", "--label-column", "mood"]
    return ["train", "finetune", str(folder / "train.tsv"), "--val", str(folder / "dev.tsv"), *columns, *more,
            "--out", str(out), *FAST]  # fmt: skip


@pytest.mark.parametrize("start", ["--init-from", "--tokenizer"])
def test_an_interrupted_run_goes_on_by_its_own_settings(start, folder, tmp_path, interrupted_at, capsys):
    begins = [start, str(folder / ("bert" if start == "--init-from" else "vocab")), *(SMALL * (start == "--tokenizer"))]
    assert run(words_for(folder, tmp_path / "whole", *begins)) == 0
    with interrupted_at(3):
        assert run(words_for(folder, tmp_path / "run", *begins)) == 130
    again = [word for word in words_for(folder, tmp_path / "run", "--resume") if word not in FAST]
    assert run([*again, "--epochs", "3"]) == 3
    assert "train.steps = 6 there and 9 now" in capsys.readouterr().err
    assert run(again) == 0
    found, expected = (
        (tmp_path / name / "checkpoints" / "step-00000006" / "model.safetensors").read_bytes()
        for name in ("run", "whole")
    )
    assert found == expected


def test_what_is_not_read_or_learnt_of_the_examples_is_said_before_the_training(folder, tmp_path, capsys):
    write_text(tmp_path / "long.tsv", f"text\tlabel\n{'훌륭하다 ' * 60}\t긍정\n지루하다\t부정\n")
    words = [str(tmp_path / "long.tsv"), "--val", str(tmp_path / "long.tsv"), "--task", "label"]
    words += ["--tokenizer", str(folder / "vocab"), "--out", str(tmp_path / "run"), *SMALL]
    fast = [word for word in FAST if word != "--quiet"]
    assert run(["train", "finetune", *words, *fast]) == 0
    assert "tokens the model reads, which are cut: 2 of 4" in capsys.readouterr().err
    write_text(tmp_path / "tags.conll", "훌륭\tB-X\n\u200b\tB-X\n")
    words[:5] = [str(tmp_path / "tags.conll"), "--val", str(tmp_path / "tags.conll"), "--format", "conll"]
    assert run(["train", "finetune", *words[: -len(SMALL) - 1], str(tmp_path / "other"), *SMALL, *fast]) == 0
    assert "labels that fit no token, so that they cannot be learnt: 1" in capsys.readouterr().err


def test_a_run_on_other_examples_is_not_gone_on_with(folder, tmp_path, capsys):
    assert run(words_for(folder, tmp_path / "run", "--tokenizer", str(folder / "vocab"), *SMALL)) == 0
    other = tmp_path / "data"
    shutil.copytree(folder, other)
    write_text(other / "train.tsv", (other / "train.tsv").read_text(encoding="utf-8") + "좋았다\t긍정\n")
    assert run(words_for(other, tmp_path / "run", "--tokenizer", str(folder / "vocab"), *SMALL)) == 3
    assert (
        "this folder holds a run on other data. repeat the first command with the data as they were"
        in capsys.readouterr().err
    )


def test_a_run_with_a_checkpoint_goes_on_though_the_weights_it_began_with_are_gone(
    folder, tmp_path, interrupted_at, capsys
):
    shutil.copytree(folder / "bert", tmp_path / "bert")
    assert run(words_for(folder, tmp_path / "whole", "--init-from", str(tmp_path / "bert"))) == 0
    with interrupted_at(3):
        assert run(words_for(folder, tmp_path / "run", "--init-from", str(tmp_path / "bert"))) == 130
    shutil.move(tmp_path / "bert", tmp_path / "moved")
    shutil.copytree(tmp_path / "run", tmp_path / "none")
    again, none = ([word for word in words_for(folder, tmp_path / name, "--resume") if word not in FAST]
                   for name in ("run", "none"))  # fmt: skip
    assert run(again) == 0
    found, expected = (
        (tmp_path / name / "checkpoints" / "step-00000006" / "model.safetensors").read_bytes()
        for name in ("run", "whole")
    )
    assert found == expected
    shutil.rmtree(tmp_path / "none" / "checkpoints")
    assert run(none) == 3
    assert "the weights that the run began with are gone. name them with --init-from" in capsys.readouterr().err


def test_a_run_from_a_pretrained_encoder_says_its_measures_and_keeps_its_labels(folder, tmp_path, capsys):
    assert run(words_for(folder, tmp_path / "run", "--init-from", str(folder / "bert"))) == 0
    said = dict(line.split("\t") for line in capsys.readouterr().out.splitlines())
    assert set(said) == {"checkpoint", "loss", "accuracy", "macro f1"}
    from textpipe.training.checkpoints import Checkpoint, find_checkpoint

    found = Checkpoint.open(find_checkpoint(tmp_path / "run"))
    assert (found.config.model.labels, found.config.model.layers, found.step) == (("긍정", "부정"), 1, 6)
    assert found.config.start is not None
    card = (tmp_path / "run" / "README.md").read_text(encoding="utf-8")
    assert "accuracy on held-out examples" in card
    assert "긍정" in card
    assert (tmp_path / "run" / "report.html").exists()
    log = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["step"] for row in log if "val_accuracy" in row] == [0, 2, 4, 6]
    assert run(words_for(folder, tmp_path / "run", "--init-from", str(folder / "bert"))) == 0


def test_the_encoder_of_a_run_is_where_the_weights_come_from(folder, tmp_path):
    words = words_for(folder, tmp_path / "run", "--init-from", str(folder / "bert"), "--learning-rate", "1e-12")
    assert run(words) == 0
    from textpipe.training import load_model

    begun, tuned = (dict(load_model(path)[0].named_parameters()) for path in (folder / "bert", tmp_path / "run"))
    for name in ("token_embedding.weight", "blocks.0.feed_forward.up.weight"):
        torch.testing.assert_close(tuned[name], begun[name], rtol=0, atol=1e-9)


def test_a_folder_of_transformers_is_a_beginning_too_and_a_run_becomes_one(folder, tmp_path):
    assert run(["export", str(folder / "bert"), "--to", str(tmp_path / "theirs")]) == 0
    assert run(words_for(folder, tmp_path / "run", "--init-from", str(tmp_path / "theirs"))) == 0
    assert run(["export", str(tmp_path / "run"), "--best", "--to", str(tmp_path / "again")]) == 0
    config = json.loads((tmp_path / "again" / "config.json").read_text(encoding="utf-8"))
    assert config["architectures"] == ["BertForSequenceClassification"]
    assert config["id2label"] == {"0": "긍정", "1": "부정"}


def test_a_classifier_of_transformers_goes_on_with_its_head_though_its_labels_stand_in_another_order(folder, tmp_path):
    assert run(words_for(folder, tmp_path / "run", "--init-from", str(folder / "bert"))) == 0
    assert run(["export", str(tmp_path / "run"), "--to", str(tmp_path / "theirs")]) == 0
    path = tmp_path / "theirs" / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    write_text(path, json.dumps(config | {"id2label": {"0": "부정", "1": "긍정"}, "label2id": {"부정": 0, "긍정": 1}}))
    words = words_for(folder, tmp_path / "on", "--init-from", str(tmp_path / "theirs"), "--learning-rate", "1e-12")
    assert run(words) == 0
    from textpipe.training import load_model

    theirs, ours = (load_model(path)[0] for path in (tmp_path / "theirs", tmp_path / "on"))
    assert (theirs.config.labels, ours.config.labels) == (("부정", "긍정"), ("긍정", "부정"))
    torch.testing.assert_close(ours.classifier.weight, theirs.classifier.weight.flip(0), rtol=0, atol=1e-9)
    torch.testing.assert_close(ours.pooler.weight, theirs.pooler.weight, rtol=0, atol=1e-9)


def test_what_is_new_beside_the_weights_to_begin_with_is_said(folder, tmp_path, capsys):
    words = words_for(folder, tmp_path / "run", "--init-from", str(folder / "bert"))
    assert run([word for word in words if word != "--quiet"]) == 0
    assert f"with the weights of {folder / 'bert'}" in (said := capsys.readouterr().err)
    assert "but the pooler is new; the head is new\n" in said


def test_from_random_weights_a_vocabulary_is_enough(folder, tmp_path):
    assert run([*words_for(folder, tmp_path / "run", "--tokenizer", str(folder / "vocab")), *SMALL]) == 0


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ([], "neither weights nor a vocabulary"),
        (["--init-from", "BERT", "--tokenizer", "VOCAB"], "--tokenizer with --init-from"),
        (["--init-from", "BERT", "--layers", "2"], "another shape: layers = 1 there and 2 now"),
        (["--init-from", "BERT", "--steps", "3"], "--epochs with --steps"),
        (["--init-from", "BERT", "--format", "korsts"], "korsts is for the task score"),
        (["--init-from", "BERT", "--label-column", "moods"], "no column 'moods'"),
        (["--init-from", "BERT", "--label-smoothing", "0.1"], "label-smoothing"),
    ],
)
def test_what_does_not_go_together_is_refused_and_nothing_is_written(folder, tmp_path, capsys, more, message):
    places = {"BERT": str(folder / "bert"), "VOCAB": str(folder / "vocab")}
    assert run(words_for(folder, tmp_path / "run", *(places.get(word, word) for word in more))) != 0
    assert message in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "run" / "config.toml").exists()


def test_a_held_out_label_that_training_has_not_is_named_with_its_line(folder, tmp_path, capsys):
    shutil.copy(folder / "train.tsv", tmp_path / "train.tsv")
    write_text(tmp_path / "dev.tsv", "review\tmood\n정말\t긍정\n지루\t보통\n")
    assert run(words_for(tmp_path, tmp_path / "run", "--init-from", str(folder / "bert"))) == 3
    assert "dev.tsv: line 3: the label '보통' does not occur in training" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
