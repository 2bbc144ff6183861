"""``textpipe vocab``: what grows keeps its ids, what shrinks says which rows stay, and the refusals."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest
import tokenizers as oracle

from textpipe import Tokenizer, processors
from textpipe.cli.app import run
from textpipe.files import read_manifest

EN = "The ferry is late again, and nobody on the pier minds.\n" * 40
KO = "밥을 먹고 학교에 갔다. 밥을 또 먹었다ㅋㅋㅋ \u1112\u1161\u11ab글\n" * 40
TEXTS = [EN[:60], KO[:40], "밥을 the 😀 <mark> 학교에<|end_of_text|>"]


@pytest.fixture
def texts(tmp_path):
    for name, text in (("en", EN), ("ko", KO)):
        (tmp_path / f"{name}.txt").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def english(texts):
    command = ["train-vocab", str(texts / "en.txt"), "--preset", "llama3", "--vocab-size", "290", "--quiet"]
    assert run([*command, "--out", str(texts / "en")]) == 0
    tokenizer = Tokenizer.from_file(texts / "en")
    tokenizer.add_tokens(["<mark>"])  # beyond the model's own ids
    tokenizer.enable_padding(pad_id=1, pad_token="<|end_of_text|>")
    tokenizer.save(texts / "en.json")
    return texts / "en.json"


def extend(tokenizer, texts, out, *flags):
    return run(["vocab", "extend", str(tokenizer), str(texts / "ko.txt"), "--out", str(out), "--quiet", *flags])


def prune(tokenizer, out, *flags):
    return run(["vocab", "prune", str(tokenizer), "--out", str(out), *flags])


def test_every_id_stays_and_the_new_text_takes_fewer_tokens(english, texts, capsys):
    assert extend(english, texts, texts / "both", "--vocab-size", "340") == 0
    assert "340 entries\t291 kept, 49 added" in capsys.readouterr().out
    old, new = Tokenizer.from_file(english), Tokenizer.from_file(texts / "both")
    assert old.get_vocab().items() <= new.get_vocab().items()
    assert sorted(new.get_vocab().values()) == list(range(340))
    assert new.encode(EN).ids == old.encode(EN).ids
    assert len(new.encode(KO).ids) < len(old.encode(KO).ids) * 0.7
    assert new.padding == old.padding
    for text in TEXTS:
        assert new.decode(new.encode(text).ids, skip_special_tokens=False) == old.decode(
            old.encode(text).ids, skip_special_tokens=False
        )
    assert read_manifest(texts / "both", kind="vocab-extend", verify=True)["counts"]["added"] == 49


def test_a_text_that_yields_too_little_is_said_and_a_size_that_adds_nothing_refused(english, texts, capsys):
    assert extend(english, texts, texts / "much", "--vocab-size", "9000", "--json") == 0
    row = json.loads(capsys.readouterr().out)
    assert row["vocab_size"] < row["asked_vocab_size"] == 9000
    assert row["vocab_size"] == row["kept"] + row["added"]
    assert extend(english, texts, texts / "less", "--vocab-size", "291") == 2
    assert "adds nothing to 291 entries" in capsys.readouterr().err
    assert extend(english, texts, texts / "much", "--vocab-size", "310") == 3
    assert "something already" in capsys.readouterr().err


def test_the_cards_name_the_tokenizer_they_came_from_and_the_texts(english, texts, capsys):
    assert extend(english, texts, texts / "both", "--vocab-size", "340") == 0
    assert "both: README.md, manifest.json, tokenizer.json" in capsys.readouterr().out
    assert prune(texts / "both", texts / "small", "--keep-size", "330", "--corpus", str(texts / "ko.txt")) == 0
    assert "README.md, id_map.json, id_map.npy, manifest.json, tokenizer.json" in capsys.readouterr().out
    text_sha256 = hashlib.sha256((texts / "ko.txt").read_bytes()).hexdigest()
    for before, folder, kind in ((english, "both", "vocab-extend"), (texts / "both", "small", "vocab-prune")):
        manifest = read_manifest(texts / folder, kind=kind, verify=True)
        sha256 = Tokenizer.from_file(before).sha256
        assert manifest["config"]["from"]["sha256"] == sha256
        assert [row["sha256"] for row in manifest["config"]["sources"]] == [text_sha256]
        card = (texts / folder / "README.md").read_text(encoding="utf-8")
        for named in (sha256, text_sha256, Tokenizer.from_file(texts / folder).sha256, "ko.txt"):
            assert named in card


def test_each_phase_of_an_extension_is_told_to_its_end_with_the_memory(english, texts, capsys):
    command = ["vocab", "extend", str(english), str(texts / "ko.txt"), "--vocab-size", "300", "--out"]
    assert run([*command, str(texts / "both")]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["count words", "lay out words", "count pairs", "merge"]
    assert all("(100 %), " in line and line.endswith(" MB") for line in lines)
    assert "merge: 9 of 9 merges" in lines[-1]


@pytest.fixture
def both(english, texts):
    assert extend(english, texts, texts / "both", "--vocab-size", "340") == 0
    return texts / "both"


def test_the_map_gives_the_old_id_of_every_new_one(both, texts, capsys):
    assert prune(both, texts / "small", "--keep-size", "330", "--corpus", str(texts / "ko.txt")) == 0
    old, new = Tokenizer.from_file(both), Tokenizer.from_file(texts / "small")
    map_file = texts / "small" / "id_map.npy"
    assert f'embedding\tweight[numpy.load("{map_file}")] are its rows' in capsys.readouterr().out
    old_ids = np.load(map_file)
    assert len(old_ids) == new.get_vocab_size() == 330
    assert [old.id_to_token(number) for number in old_ids] == [new.id_to_token(number) for number in range(330)]
    to_new = json.loads((texts / "small" / "id_map.json").read_text(encoding="utf-8"))
    assert to_new == {str(number): place for place, number in enumerate(old_ids)}
    assert [old_ids[number] for number in new.encode(KO).ids] == old.encode(KO).ids  # what the corpus uses has stayed
    assert new.decode(new.encode(EN).ids) == EN
    weight = np.arange(old.get_vocab_size() * 2).reshape(-1, 2)
    assert (weight[old_ids][new.encode(KO).ids] == weight[old.encode(KO).ids]).all()


def test_what_names_an_id_has_the_new_one_and_tokenizers_reads_it_alike(both, texts):
    whole = Tokenizer.from_file(both)
    whole.add_special_tokens(["[SEP]", "[CLS]"])
    ids = [(name, whole.token_to_id(name)) for name in ("[SEP]", "[CLS]")]
    for name, processor in (
        ("bert", processors.BertProcessing(*ids)),
        ("template", processors.Sequence([processors.TemplateProcessing("[CLS] $A [SEP]", None, ids)])),
    ):
        whole.post_processor = processor
        whole.save(texts / "whole.json")
        assert prune(texts / "whole.json", texts / name, "--keep-size", "290") == 0
        small = Tokenizer.from_file(texts / name)
        theirs = oracle.Tokenizer.from_file(str(texts / name / "tokenizer.json"))
        assert small.token_to_id("[SEP]") == 288
        for text in TEXTS:
            assert small.encode(text).tokens == theirs.encode(text).tokens
            assert small.encode(text).ids == theirs.encode(text).ids
            assert [small.id_to_token(number) for number in small.encode(text).ids] == small.encode(text).tokens


def test_of_a_file_the_entries_and_their_parts_stay(both, texts, capsys):
    wanted = max(Tokenizer.from_file(both).get_vocab(), key=len)
    (texts / "keep.txt").write_text(f"{wanted}\r\n\n", encoding="utf-8")
    assert prune(both, texts / "few", "--keep-file", str(texts / "keep.txt"), "--json") == 0
    row = json.loads(capsys.readouterr().out)
    small = Tokenizer.from_file(texts / "few")
    assert small.token_to_id(wanted) is not None
    assert row["vocab_size"] == small.get_vocab_size() < 290
    assert row["vocab_size"] + row["removed"] == 340


@pytest.mark.parametrize(
    ("flags", "refusal"),
    [
        ([], (2, "one of --keep-size and --keep-file")),
        (["--keep-size", "300", "--keep-file", "keep.txt"], (2, "one of --keep-size and --keep-file")),
        (["--keep-file", "keep.txt", "--corpus", "ko.txt"], (2, "leave out --corpus or --keep-file")),
        (["--keep-size", "20"], (3, "do not hold the characters and the special tokens")),
        (["--keep-file", "keep.txt"], (3, "'Ġnever' is not in the vocabulary")),
    ],
)
def test_what_cannot_be_kept_is_refused_and_nothing_written(both, capsys, monkeypatch, flags, refusal):
    texts, (code, message) = both.parent, refusal
    monkeypatch.chdir(texts)
    (texts / "keep.txt").write_text("Ġnever\n", encoding="utf-8")
    assert prune(both, texts / "none", *flags) == code
    assert message in capsys.readouterr().err
    assert not (texts / "none").exists()


def test_a_model_without_merges_is_refused_by_its_name(texts, capsys):
    command = ["train-vocab", str(texts / "en.txt"), "--preset", "bert", "--vocab-size", "90", "--quiet"]
    assert run([*command, "--out", str(texts / "bert")]) == 0
    assert prune(texts / "bert", texts / "none", "--keep-size", "80") == 3
    assert extend(texts / "bert", texts, texts / "none", "--vocab-size", "99") == 3
    assert capsys.readouterr().err.count("the model is a WordPiece, which has no merges") == 2
