"""The Korean-English experiment: translations are shown from every file, each with its own pairs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "bin" / "experiments"


@pytest.fixture(scope="module")
def experiment():
    sys.path.insert(0, str(FOLDER))
    import korean_english

    yield korean_english
    sys.path.remove(str(FOLDER))


def test_a_pair_of_two_files_is_shown_where_it_stands(experiment):
    one, other = ([(f"원문 {number}", "text") for number in range(size)] for size in (12, 2))
    dev = {"a.tsv": one, "b.tsv": other}
    places = list(experiment.spread(dev))
    assert places == [0, 3, 6, 9, 12, 13]
    held_out = [pair for pairs in dev.values() for pair in pairs]
    assert [held_out[place] for place in places[-2:]] == dev["b.tsv"]


def test_a_file_of_no_pair_shows_none(experiment):
    assert list(experiment.spread({"a.tsv": [], "b.tsv": [("가", "a")]})) == [0]
