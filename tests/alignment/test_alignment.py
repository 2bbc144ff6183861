"""Words of parallel text: both models agree with sums over every alignment, and links are what they are said to be."""

from __future__ import annotations

import dataclasses
import unicodedata
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textpipe.alignment import AlignmentConfig, align, split_words, symmetrized
from textpipe.alignment.cells import CellTable
from textpipe.alignment.jumps import JumpModel
from textpipe.alignment.lexical import LexicalModel, uniform
from textpipe.alignment.words import Numbering
from textpipe.errors import ConfigError, InputError, LimitError
from textpipe.limits import DEFAULT_LIMITS

GERMAN = [("das Haus", "the house"), ("das Buch", "the book"), ("ein Buch", "a book")]
side = st.lists(st.sampled_from("abc"), max_size=3)
texts = st.lists(st.tuples(side, st.lists(st.sampled_from("xyz"), max_size=3)), min_size=1, max_size=6)
with_words = texts.filter(lambda pairs: any(one and other for one, other in pairs))


def tabled(pairs):
    """The cells of pairs, and the words of both sides."""
    words = Numbering(), Numbering()
    given_, explained = ([words[side].numbers(pair[side]) for pair in pairs] for side in (0, 1))
    return CellTable(given_, explained, len(words[1])), words


def become(model, words):
    """A table of what words become by its words."""
    table = model.table
    return {
        (words[0].word(one), words[1].word(other)): share
        for one, other, share in zip(
            table.given_N.tolist(), table.explained_N.tolist(), model.shares_N.tolist(), strict=True
        )
    }


def rows_by_place(model):
    """{(pair, explained place): shares} of all blocks, and the log-likelihood of all."""
    found, total = {}, 0.0
    for block in model.table.blocks:
        shares, likelihood = model.posteriors(block)
        found |= dict(zip(zip(block.pairs_R.tolist(), block.places_R.tolist(), strict=True), shares, strict=True))
        total += likelihood
    return found, total


def check_against(twin, model, pairs):
    found, likelihood = rows_by_place(model)
    wanted, total = {}, 0.0
    for number, (one, other) in enumerate(pairs):
        if one and other:
            shares, part, _ = twin.posteriors(one, other)
            wanted |= {(number, place): row for place, row in enumerate(shares)}
            total += part
    assert found.keys() == wanted.keys()
    for key, row in wanted.items():
        np.testing.assert_allclose(found[key], row, rtol=1e-9, atol=1e-12)
    assert likelihood == pytest.approx(total, rel=1e-9)


@settings(max_examples=60, deadline=None)
@given(with_words, st.sampled_from([0.0, 0.2, 0.7]))
def test_model_1_is_the_sum_over_every_alignment(enumerated, pairs, null_share):
    table, words = tabled(pairs)
    model = LexicalModel(table, uniform(table), null_share=null_share)
    for _ in range(3):
        twin = enumerated(become(model, words), null_share)
        check_against(twin, model, pairs)
        wanted, _ = twin.improved([pair for pair in pairs if all(pair)])
        model.improve()
        found = become(model, words)
        for key, share in wanted.items():
            assert found[key] == pytest.approx(share, rel=1e-9, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(with_words, st.sampled_from([0.0, 0.2, 0.7]))
def test_the_hidden_markov_model_is_the_sum_over_every_alignment(enumerated, pairs, null_share):
    table, words = tabled(pairs)
    first = LexicalModel(table, uniform(table), null_share=null_share)
    first.improve()
    model = JumpModel(table, first.shares_N, null_share=null_share)
    for _ in range(3):
        jumps, longest = model.jumps, model.longest
        twin = enumerated(
            become(model, words), null_share, lambda by, jumps=jumps, longest=longest: jumps[by + longest]
        )
        check_against(twin, model, pairs)
        wanted, steps = twin.improved([pair for pair in pairs if all(pair)])
        model.improve()
        found = become(model, words)
        for key, share in wanted.items():
            assert found[key] == pytest.approx(share, rel=1e-9, abs=1e-12)
        for by, count in steps.items():
            assert model.jumps[by + longest] == pytest.approx(1 + count, rel=1e-9)


def test_model_1_takes_the_published_course_on_the_textbook_s_three_pairs():
    # Koehn 2010, figure 4.4: t(the | das) and t(book | Buch) after each iteration
    pairs = [(one.split(), other.split()) for one, other in GERMAN]
    table, words = tabled(pairs)
    model = LexicalModel(table, np.full(table.num_entries, 0.25), null_share=0.0)
    course = []
    for _ in range(3):
        model.improve()
        found = become(model, words)
        course.append((round(found["das", "the"], 4), round(found["das", "house"], 4), round(found["buch", "book"], 4)))
    assert course == [(0.5, 0.25, 0.5), (0.6364, 0.1818, 0.6364), (0.7479, 0.1313, 0.7479)]


@settings(max_examples=40, deadline=None)
@given(with_words)
def test_the_likelihood_of_model_1_never_falls(pairs):
    table, _ = tabled(pairs)
    model = LexicalModel(table, uniform(table), null_share=0.2)
    course = [model.improve() for _ in range(6)]
    assert all(later >= earlier - 1e-9 for earlier, later in pairwise(course))


@settings(max_examples=40, deadline=None)
@given(with_words, st.sampled_from(["hmm", "model1"]))
def test_links_are_in_their_texts_in_order_and_each_once_and_turn_with_the_direction(pairs, model):
    config = AlignmentConfig(model=model, symmetrization="union")
    found = align(pairs, config)
    assert len(found.links) == len(pairs)
    for (one, other), links in zip(pairs, found.links, strict=True):
        assert links == sorted(set(links))
        assert all(place < len(one) and place_there < len(other) for place, place_there in links)
    turned = align([(other, one) for one, other in pairs], config)
    assert [sorted((b, a) for a, b in links) for links in turned.links] == found.links
    again = align(pairs, config)
    assert (again.links, again.perplexity) == (found.links, found.perplexity)


def test_korean_is_aligned_with_english_and_order_does_not_matter():
    rows = [
        ("나는 바다를 본다", "I see sea"),
        ("나는 산을 본다", "I see mountain"),
        ("너는 바다를 본다", "you see sea"),
        ("너는 산을 듣는다", "you hear mountain"),
        ("나는 바다를 듣는다", "I hear sea"),
    ]
    found = align([(split_words(one), split_words(other)) for one, other in rows], AlignmentConfig(null_share=0.05))
    lexicon = {(row.source, row.target): row.num_links for row in found.lexicon()}
    best = {source: max((count, target) for (one, target), count in lexicon.items() if one == source)[1]
            for source in ("나는", "너는", "본다", "듣는다", "바다를", "산을")}  # fmt: skip
    assert best == {"나는": "i", "너는": "you", "본다": "see", "듣는다": "hear", "바다를": "sea", "산을": "mountain"}


def test_composed_and_decomposed_hangul_are_one_word_and_emoticons_are_cut_into_marks():
    text = "바다는 넓다ㅋㅋ ^^;"
    assert split_words(unicodedata.normalize("NFD", text)) == split_words(text) == ["바다는", "넓다ㅋㅋ", "^", "^", ";"]
    words = Numbering()
    assert words.numbers(["Sea", "SEA", "바다"]).tolist() == [1, 1, 2]


links = st.sets(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=8)


@given(links, links)
def test_every_symmetrization_lies_between_intersection_and_union(forward, backward):
    grown = set(symmetrized(forward, backward, "grow-diag-final-and"))
    both, either = (set(symmetrized(forward, backward, how)) for how in ("intersection", "union"))
    assert both == forward & backward <= grown <= either == forward | backward
    assert symmetrized(forward, backward, "forward") == sorted(forward)
    assert symmetrized(forward, backward, "backward") == sorted(backward)


@given(links)
def test_directions_that_agree_are_the_alignment(found):
    assert symmetrized(found, found, "grow-diag-final-and") == sorted(found)


@pytest.mark.parametrize(
    ("forward", "backward", "found"),
    [
        ({(0, 0), (1, 1)}, {(0, 0)}, [(0, 0), (1, 1)]),  # beside one that both have
        ({(0, 0), (3, 3)}, {(0, 0)}, [(0, 0), (3, 3)]),  # far from it, between two words that nothing aligns
        ({(0, 0), (3, 0)}, {(0, 0)}, [(0, 0)]),  # far from it, to a word that is aligned
        ({(0, 0), (1, 0), (2, 0)}, {(0, 0)}, [(0, 0), (1, 0), (2, 0)]),  # beside one that was taken in
        ({(0, 0), (1, 0)}, {(0, 0), (1, 1)}, [(0, 0), (1, 0), (1, 1)]),
    ],
)
def test_links_are_taken_in_where_they_align_a_word_that_was_not(forward, backward, found):
    assert symmetrized(forward, backward, "grow-diag-final-and") == found


def test_pairs_with_an_empty_side_stay_and_none_with_words_is_refused():
    found = align([(["a"], ["x"]), ([], ["x"]), (["a"], []), ([], [])])
    assert found.links == [[(0, 0)], [], [], []]
    with pytest.raises(InputError, match="no pair has words on both sides"):
        align([([], ["x"]), (["a"], [])])
    with pytest.raises(InputError, match="no pair"):
        align([])


def test_the_limit_on_cells_holds_to_the_cell():
    one, other = np.ones(3, dtype=np.int32), np.ones(4, dtype=np.int32)
    limits = dataclasses.replace(DEFAULT_LIMITS, alignment_cells=16)
    assert CellTable([one], [other], 2, limits=limits).num_entries == 2
    with pytest.raises(LimitError, match=r"16 pairs of words.*15.*cut paragraphs"):
        CellTable([one], [other], 2, limits=dataclasses.replace(limits, alignment_cells=15))


def test_settings_that_make_no_sense_are_refused():
    for wrong in ({"null_share": 1.0}, {"model": "model5"}, {"model1_iterations": 0}, {"symmetrization": "both"}):
        with pytest.raises(ConfigError):
            AlignmentConfig(**wrong)
