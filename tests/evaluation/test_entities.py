"""Entity F1, against seqeval."""

from __future__ import annotations

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textpipe.errors import InputError
from textpipe.evaluation.entities import Entity, entities_of, score_entities

TAGS = st.sampled_from(["O", "B-PS", "I-PS", "B-LC", "I-LC", "I-DT"])
PAIRS = st.lists(
    st.lists(st.tuples(TAGS, TAGS), min_size=1, max_size=9).map(lambda rows: tuple(zip(*rows, strict=True))),
    min_size=1,
    max_size=5,
)


@given(PAIRS, st.booleans())
def test_scores_are_seqevals(pairs, strict):
    metrics = pytest.importorskip("seqeval.metrics")
    scheme = pytest.importorskip("seqeval.scheme")
    true, predicted = ([list(pair[side]) for pair in pairs] for side in (0, 1))
    ours = score_entities(true, predicted, strict=strict, num_resamples=2)
    settings = {"mode": "strict", "scheme": scheme.IOB2} if strict else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = metrics.classification_report(true, predicted, output_dict=True, zero_division=0, **settings)
    total = theirs["micro avg"]
    assert (ours.precision, ours.recall, ours.f1.value) == pytest.approx(
        (total["precision"], total["recall"], total["f1-score"]), abs=1e-12
    )
    if ours.types:  # seqeval's mean over no type is no number
        assert ours.macro_f1 == pytest.approx(theirs["macro avg"]["f1-score"], abs=1e-12)
    for name, found in ours.types.items():
        row = theirs[name]
        assert (found.precision, found.recall, found.f1, found.support) == pytest.approx(
            (row["precision"], row["recall"], row["f1-score"], row["support"]), abs=1e-12
        )


def test_the_same_tokens_under_another_type_are_not_found():
    found = score_entities([["B-PS", "I-PS"]], [["B-OG", "I-OG"]], num_resamples=2)
    assert found.f1.value == 0.0
    assert found.types["PS"].support == 1
    assert found.types["OG"].support == 0


def test_text_without_any_entity_scores_0():
    found = score_entities([["O", "O"]], [["O", "O"]], num_resamples=2)
    assert (found.f1.value, found.macro_f1, found.types) == (0.0, 0.0, {})


def test_two_entities_side_by_side_stay_two():
    assert list(entities_of(["B-PS", "B-PS", "I-PS"])) == [Entity(0, 1, "PS"), Entity(1, 3, "PS")]


def test_a_type_may_have_a_hyphen():
    assert list(entities_of(["B-인물-성", "I-인물-성"])) == [Entity(0, 2, "인물-성")]


@pytest.mark.parametrize("tag", ["", "B", "B-", "O-", "S-PS", "b-PS", "PS"])
def test_a_tag_that_is_not_of_bio_is_refused_and_found(tag):
    with pytest.raises(InputError, match=r"sentence 2, token 3.*O, B-TYPE or I-TYPE"):
        score_entities([["O"], ["O", "O", "O"]], [["O"], ["O", "O", tag]])


def test_a_sentence_with_a_tag_lost_is_named():
    with pytest.raises(InputError, match="sentence 2: there are 2 true tags and 1 predicted"):
        score_entities([["O"], ["O", "O"]], [["O"], ["O"]])
