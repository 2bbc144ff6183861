"""The experiments: their data are what they say, their measures right, their picture whole."""

from __future__ import annotations

import importlib
import json
import math
import re
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from textpipe.nn.shapes import GptConfig

FOLDER = Path(__file__).resolve().parents[2] / "bin" / "experiments"


@pytest.fixture(scope="module", autouse=True)
def _found():
    folders = [str(FOLDER), str(FOLDER.parent / "benchmarks")]
    sys.path[:0] = folders
    yield
    for folder in folders:
        sys.path.remove(folder)


def module(name):
    return importlib.import_module(name)


@pytest.mark.usefixtures("_found")
@given(st.text(max_size=8), st.text(max_size=8), st.text(max_size=8))
def test_edit_distance_is_a_metric(one, two, three):
    distance = module("pairs").edit_distance
    assert distance(one, two) == distance(two, one) <= max(len(one), len(two))
    assert (distance(one, two) == 0) == (one == two)
    assert distance(one, three) <= distance(one, two) + distance(two, three)


@pytest.mark.parametrize(
    ("one", "other", "edits"), [("kitten", "sitting", 3), ("오터하운드", "오터하운즈", 1), ("", "가나", 2)]
)
def test_edit_distance_of_known_pairs(one, other, edits):
    assert module("pairs").edit_distance(one, other) == edits


def test_reversed_sequences_are_of_the_published_kind():
    reverse = module("reverse")
    for split, (number, longest) in reverse.SPLITS.items():
        pairs = reverse.sequences(split, 0)
        assert len(pairs) == number
        assert {len(source.split()) for source, _ in pairs} == set(range(1, longest + 1))
        assert {int(word) for source, _ in pairs for word in source.split()} == set(range(50))
        assert all(source.split()[::-1] == target.split() for source, target in pairs)
        assert pairs == reverse.sequences(split, 0) != reverse.sequences(split, 1)


def test_characters_come_back_as_they_were():
    text = "To be, or\n 한글 ㅋㅋ"
    tokenizer = module("characters").characters_of([text])
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    assert len(ids) == len(text)
    assert tokenizer.decode(ids) == text


def test_every_experiment_has_a_main_and_says_what_it_is(capsys):
    for name in module("run").NAMES:
        with pytest.raises(SystemExit, match="0"):
            module(name.replace("-", "_")).main(["--help"])
        assert f"bin/experiment {name}" in capsys.readouterr().out


KO, EN = "바다는 넓고 배는 느리다 {}", "the sea is wide and ships are slow {}"
LINES = [line.format(number) for number in range(120) for line in (KO, EN)]
TABLE = "".join(f"{KO.format(number)}\t{EN.format(number)}\n" for number in range(60))
TINY = {
    "shakespeare": ["{text}", "--recipe", "best", "--steps", "4"],
    "reverse": ["--steps", "4"],
    "transliteration": ["{names}", "{names}", "--jamo", "--steps", "4"],
    "korean-english": ["--train", "{table}", "--dev", "{table}", "--dev-pairs", "3", "--vocab-size", "300",
                       "--direction", "ko-en", "--model", "transformer", "--beams", "2", "--steps", "4"],
    "vocabularies": ["{text}", "--vocab-size", "270", "--compute", "2e10"],
    "masked": ["{lines}", "--vocab-size", "120", "--steps", "4"],
    "answers": ["{answers}", "--vocab-size", "300", "--steps", "4"],
    "unsupervised": ["--recipe", "full", "--steps", "4"],
}  # fmt: skip
SAID = {
    "shakespeare": {"recipe", "val_loss", "bits_per_byte"},
    "reverse": {"model", "bleu_val", "bleu_test"},
    "transliteration": {"model", "exact", "character_error_rate"},
    "korean-english": {"model", "bleu", "chrf", "signature", "reference"},
    "vocabularies": {"vocab_size", "bits_per_byte", "bytes_a_token"},
    "masked": {"val_loss", "unigram_entropy", "course"},
    "answers": {"question", "answered", "val_loss"},
    "unsupervised": {"recipe", "first_to_second_exact", "lexicon"},
}


def test_the_readme_says_of_every_experiment_what_it_shows():
    rows = re.findall(r"^\| `([a-z-]+)` \|", (FOLDER / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert tuple(row for row in rows if row in module("run").NAMES) == module("run").NAMES


def test_every_experiment_is_run_here_but_one_that_has_a_test_of_its_own():
    assert TINY.keys() == SAID.keys() == set(module("run").NAMES) - {"fine-tuning"}


@pytest.mark.parametrize("name", TINY)
def test_every_experiment_goes_its_whole_way_and_says_the_same_again(name, tmp_path, monkeypatch, capsys):
    files = {
        "text": "\n\n".join(LINES),
        "lines": "\n".join(f"{line} {number}" for number in range(10) for line in LINES),
        "names": "en\tko\n" + "".join(f"ship {number}\t배 {number}\n" for number in range(20)),
        "table": "ko\ten\n" + TABLE,
        "answers": "Q,A\n" + "".join(f"질문 {number},답 {number}\n" for number in range(60)),
    }
    for kind, text in files.items():
        (tmp_path / kind).with_suffix(".csv" if kind == "answers" else ".tsv").write_text(text, encoding="utf-8")
    places = {kind: str(next(tmp_path.glob(f"{kind}.*"))) for kind in files}
    found = module(name.replace("-", "_"))
    if name == "reverse":
        monkeypatch.setattr(found, "SPLITS", {"train": (60, 25), "val": (20, 30), "test": (20, 30)})
    if name == "unsupervised":
        monkeypatch.setattr(found, "SENTENCES", 200)
        monkeypatch.setattr(found, "HELD_OUT", 10)
    words = [word.format(**places) for word in TINY[name]]
    told = []
    for _ in range(2):  # the second time nothing is trained
        capsys.readouterr()
        assert found.main([*words, "--out", str(tmp_path / "out")]) == 0
        rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        told.append([{key: value for key, value in row.items() if not key.endswith("cpu_s")} for row in rows])
    assert SAID[name] <= {key for row in told[0] for key in row}
    assert told[0] == told[1]


def test_the_plain_recipe_learns_what_repeats_and_scores_each_character_once():
    recipe = module("plain_recipe")
    loss, parameters = recipe.plain_loss("가나다" * 600, seed=0, steps=12, peak=3e-3)
    assert loss < 0.5 * math.log(3)
    assert parameters == 3 * 128 + 64 * 128 + 4 * (12 * 128**2 + 2 * 128) + 128
    model = module("plain_gpt").PlainGpt(GptConfig(vocab_size=3, context=4, layers=1, heads=1, width=8))
    ids = torch.tensor([0, 1, 2, 2, 1, 0, 1])
    scores = [model(ids[:4][None], ids[1:5][None]).item() * 4, model(ids[4:6][None], ids[5:][None]).item() * 2]
    assert recipe._whole_loss(model, ids, 4) == pytest.approx(sum(scores) / 6)


def test_both_directions_of_korean_and_english_are_read_and_held_out_texts_go_back_to_their_files(tmp_path):
    experiment = module("korean_english")
    paths = [tmp_path / "a.tsv", tmp_path / "b.tsv"]
    paths[0].write_text("ko\ten\n제목\tHeadings\n \tnothing\n정렬\tSort\n", encoding="utf-8")
    paths[1].write_text("ko\ten\n인자\targument\n", encoding="utf-8")
    forward, backward = (experiment.read(paths, direction) for direction in ("ko-en", "en-ko"))
    assert forward == [("제목", "Headings"), ("정렬", "Sort"), ("인자", "argument")]
    assert backward == [(target, source) for source, target in forward]
    dev = {path.name: experiment.read([path], "ko-en") for path in paths}
    parts = list(experiment.cut(["1", "2", "3"], dev))
    assert [(name, texts) for name, texts, _ in parts] == [("a.tsv", ["1", "2"]), ("b.tsv", ["3"])]
