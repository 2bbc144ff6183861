"""The experiments: their data are what they say, their measures right, their picture whole."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textpipe.nn.seq2seq import Seq2Seq, Seq2SeqConfig

FOLDER = Path(__file__).resolve().parents[2] / "bin" / "experiments"


@pytest.fixture(scope="module", autouse=True)
def _found():
    sys.path.insert(0, str(FOLDER))
    yield
    sys.path.remove(str(FOLDER))


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


def test_the_picture_has_a_cell_for_each_step_and_source_token(tmp_path):
    tokenizer = module("characters").words_of(str(number) for number in range(50))
    model = Seq2Seq(
        Seq2SeqConfig(vocab_size=tokenizer.get_vocab_size(), embedding=8, width=16, encoder_width=8), seed=1
    ).eval()
    path = tmp_path / "picture.svg"
    alignment = module("alignment")
    alignment.draw(model, tokenizer, "3 4 5", "5 4", eos_id=0, path=path)
    shares = [float(value) for value in re.findall(r'fill-opacity="([\d.]+)"', path.read_text(encoding="utf-8"))]
    assert len(shares) == 3 * 4  # two numbers and the end; three and the end
    for row in range(3):
        assert sum(shares[4 * row : 4 * row + 4]) == pytest.approx(1.0, abs=0.003)


def test_characters_come_back_as_they_were():
    text = "To be, or\n 한글 ㅋㅋ"
    tokenizer = module("characters").characters_of([text])
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    assert len(ids) == len(text)
    assert tokenizer.decode(ids) == text


def test_every_experiment_has_a_main_and_says_what_it_is(capsys):
    for name in module("run").NAMES:
        with pytest.raises(SystemExit, match="0"):
            module(name).main(["--help"])
        assert f"bin/experiment {name}" in capsys.readouterr().out
