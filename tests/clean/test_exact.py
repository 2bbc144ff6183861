"""Exact duplicates: the first stays, white space does not matter, everything else does."""

from __future__ import annotations

from textpipe.clean.exact import ExactDuplicates, text_digest
from textpipe.clean.length import MinChars
from textpipe.clean.stages import Drop
from textpipe.records import Document


def test_the_first_of_equal_texts_is_kept_and_named_by_the_others() -> None:
    stage = ExactDuplicates()
    first = Document(id="a", text="같은 글입니다.\n끝")
    assert stage(first) is first
    assert stage(Document(id="b", text=" 같은  글입니다. 끝 ")) == Drop("duplicate", "same text as a")
    assert stage(Document(id="c", text="같은 글입니다. 끝")) == Drop("duplicate", "same text as a")


def test_the_same_id_twice_is_a_duplicate_too() -> None:
    stage = ExactDuplicates()
    stage(Document(id="a", text="글"))
    assert isinstance(stage(Document(id="a", text="글")), Drop)


def test_texts_that_differ_in_anything_but_white_space_are_both_kept() -> None:
    stage = ExactDuplicates()
    texts = ["글", "글.", "Text", "text", "글 글", "글글"]
    assert all(isinstance(stage(Document(id=str(n), text=text)), Document) for n, text in enumerate(texts))


def test_a_digest_made_elsewhere_counts_as_the_texts_own() -> None:
    stage = ExactDuplicates()
    stage(Document(id="a", text="글"), text_digest("글"))
    assert isinstance(stage(Document(id="b", text="글")), Drop)


def test_length_counts_characters_without_white_space_at_the_border() -> None:
    stage = MinChars(4)
    assert stage(Document(id="1", text="한 글 자 ")) == Drop("too_short", "3 characters; wanted 4")
    assert isinstance(stage(Document(id="2", text="한 글\n자네")), Document)


def test_a_document_of_white_space_is_empty_whatever_the_minimum() -> None:
    assert MinChars(0)(Document(id="1", text=" \n ")) == Drop("empty")
