"""Sentences that stand for a text: some of its own, in order, by a rule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textpipe.cli.app import run
from textpipe.errors import ConfigError, LimitError
from textpipe.evaluation.extracts import extract, sentences_of
from textpipe.limits import Limits

NEWS = (
    "새 도서관이 문을 열었다. 도서관은 시장 옆에 있다. 점심에는 비가 왔다. "
    "도서관에는 책 만 권이 있고 도서관 앞에는 시장이 선다. 고양이가 잤다."
)
METHODS = ["lead", "centroid", "textrank"]


@given(st.text("가나 .!?\n\"'다"), st.integers(1, 5), st.sampled_from(METHODS))
def test_an_extract_is_sentences_of_the_text_in_their_order(text, number, method):
    sentences, found = sentences_of(text), extract(text, number, method=method)
    assert len(found) == min(number, len(sentences))
    places = iter(sentences)
    assert all(sentence in places for sentence in found)


@given(st.text())
def test_sentences_lose_no_character_but_blanks(text):
    assert "".join("".join(sentences_of(text)).split()) == "".join(text.split())


def test_what_most_sentences_are_about_is_taken_and_the_rest_is_not():
    best = "도서관에는 책 만 권이 있고 도서관 앞에는 시장이 선다."
    assert extract(NEWS, 1, method="textrank") == [best]
    assert extract(NEWS, 1, method="centroid") == [best]
    assert extract(NEWS, 1, method="lead") == ["새 도서관이 문을 열었다."]
    assert "고양이가 잤다." not in extract(NEWS, 3)


def test_sentences_that_are_the_same_are_taken_from_the_front():
    assert extract("바다는 넓다. 산은 높다. 바다는 넓다.", 1) == ["바다는 넓다."]
    assert extract("!!! ??? ...", 2) == ["!!!", "???"]


def test_what_cannot_be_is_refused_with_what_can():
    with pytest.raises(ConfigError, match="textrank"):
        extract(NEWS, method="textrang")
    with pytest.raises(ConfigError, match="1 or more"):
        extract(NEWS, 0)
    limits = Limits(extract_sentences=4)
    with pytest.raises(LimitError, match=r"5 sentences.*lead"):
        extract(NEWS, 2, limits=limits)
    assert len(extract(NEWS, 2, method="lead", limits=limits)) == 2
    assert len(extract(NEWS, 2, limits=Limits(extract_sentences=5))) == 2


def test_summarize_prints_a_sentence_a_line_and_parts_texts(tmp_path, capsys):
    (tmp_path / "a.txt").write_text(NEWS, encoding="utf-8")
    (tmp_path / "b.txt").write_text("짧다.", encoding="utf-8")
    assert run(["summarize", str(tmp_path / "a.txt"), str(tmp_path / "b.txt"), "-n", "2", "--method", "lead"]) == 0
    assert capsys.readouterr().out.splitlines() == [*sentences_of(NEWS)[:2], "", "짧다."]
    assert run(["summarize", str(tmp_path / "none.txt")]) != 0
    assert "none.txt" in capsys.readouterr().err
