"""The experiments: their data are what they say, their measures right, their picture whole."""

from __future__ import annotations

import importlib
import math
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
