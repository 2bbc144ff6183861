"""Sentences as sentencepiece loads them."""

from __future__ import annotations

import pytest

from textpipe.errors import ConfigError, InputError
from textpipe.trainers import SentenceReader, read_sentence_files, read_sentences


def texts(lines, **settings):
    return [row.decode() for row, _ in read_sentences(lines, SentenceReader(**settings)).rows()]


def test_spaces_become_marks_and_one_begins_the_sentence():
    assert texts(["  밥을   먹고 "]) == ["▁밥을▁먹고"]
    assert texts(["  밥을   먹고 "], remove_extra_whitespaces=False) == ["▁▁▁밥을▁▁▁먹고▁"]
    assert texts(["밥을 먹고"], treat_whitespace_as_suffix=True) == ["밥을▁먹고▁"]
    assert texts(["밥을 먹고"], add_dummy_prefix=False) == ["밥을▁먹고"]


def test_other_white_space_is_left_to_the_normalizer():
    assert texts(["밥\t물\u3000국"]) == ["▁밥\t물\u3000국"]
    assert texts(["밥\t물"], normalize=lambda line: line.replace("\t", " ")) == ["▁밥▁물"]


def test_an_empty_sentence_gives_its_place_to_the_last_one():
    assert texts(["가", "  ", "나", "다", ""]) == ["▁가", "▁다", "▁나"]


def test_marks_of_the_text_at_its_end_are_dropped_like_spaces():
    assert texts(["밥▁▁", "▁"]) == ["▁밥"]


def test_a_line_with_the_mark_of_unknown_characters_is_left_out():
    assert texts(["밥\u2585", "물"]) == ["▁물"]


def test_a_line_is_measured_in_bytes():
    assert texts(["가" * 5, "가" * 6], max_sentence_bytes=15) == ["▁" + "가" * 5]


def test_the_longest_special_token_is_cut_out():
    assert texts(["a<s>b<s>>c<s"], reserved=("<s>", "<s>>")) == ["▁a\x1fb\x1fc<s"]


def test_files_give_the_sentences_of_their_lines(tmp_path):
    (tmp_path / "a.txt").write_text("밥을 먹고\n\n집에\r\n", encoding="utf-8", newline="")
    (tmp_path / "b.jsonl").write_text('{"text": "물\\n국"}\n', encoding="utf-8")
    rows = read_sentence_files([tmp_path / "a.txt", tmp_path / "b.jsonl"]).rows()
    assert [row.decode() for row, _ in rows] == ["▁밥을▁먹고", "▁집에\r", "▁물", "▁국"]


def test_what_is_no_text_is_refused():
    with pytest.raises(InputError, match="int"):
        read_sentences([1])
    with pytest.raises(InputError, match="surrogate"):
        read_sentences(["\ud800"])
    with pytest.raises(InputError, match="empty"):
        read_sentences([], SentenceReader(reserved=("",)))
    with pytest.raises(ConfigError):
        SentenceReader(max_sentence_bytes=0)
