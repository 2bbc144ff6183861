"""Sentences as sentencepiece loads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textpipe.core._sentences import count_sentence_words
from textpipe.errors import ConfigError, InputError, LimitError
from textpipe.limits import Limits
from textpipe.normalizers import NFKC, Lowercase, Replace
from textpipe.trainers import SentenceCutter, SentenceReader, count_files, read_sentence_files, read_sentences


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


LINES = st.lists(
    st.lists(
        st.sampled_from(["밥", "을", " ", "  ", "▁", "\u2585", "a", "\r", "\t", "[A]", "é", "ㄱ", "Ａ", "가나다"])
    ).map("".join)
)


@given(lines=LINES, choices=st.tuples(st.booleans(), st.booleans(), st.booleans()), threads=st.sampled_from([1, 2, 4]))
def test_words_counted_from_files_are_those_of_the_sentences(tmp_path_factory, lines, choices, threads):
    suffix, split, runs = choices
    file = tmp_path_factory.mktemp("words") / "a.txt"
    file.write_bytes("\n".join(lines).encode())
    reader = SentenceReader(reserved=("[A]",), treat_whitespace_as_suffix=suffix, max_sentence_bytes=40)
    cutter = SentenceCutter(reader=reader, split_by_whitespace=split, allow_whitespace_only_pieces=runs)
    whole = count_sentence_words(
        read_sentence_files(file, reader),
        split_by_whitespace=split,
        treat_whitespace_as_suffix=suffix,
        allow_whitespace_only_pieces=runs,
    )
    assert count_files(file, cutter, threads=threads).items() == whole.items()


@given(lines=LINES)
def test_native_steps_normalize_lines_as_a_function_does(tmp_path_factory, lines):
    file = tmp_path_factory.mktemp("words") / "a.txt"
    file.write_bytes("\n".join(lines).encode())
    native = SentenceReader(normalization=(*NFKC().native_steps(), *Lowercase().native_steps()))
    slow = SentenceReader(normalize=lambda line: Lowercase().normalize_str(NFKC().normalize_str(line)))
    assert read_sentence_files(file, native).rows() == read_sentence_files(file, slow).rows()
    words = count_files(file, SentenceCutter(reader=slow)).items()
    assert count_files(file, SentenceCutter(reader=native)).items() == words


def test_a_reader_normalizes_in_one_way():
    with pytest.raises(ConfigError, match="either native steps or a function"):
        SentenceReader(normalization=NFKC().native_steps(), normalize=str.lower)


@pytest.mark.parametrize("over", [-1, 0, 1])
def test_more_text_than_unigrams_are_sought_in_is_refused_while_it_is_read(tmp_path, over):
    lines = ["밥을 먹고", "학교에"]
    size = read_sentences(lines).num_bytes
    file = tmp_path / "a.txt"
    file.write_text("\n".join(lines), encoding="utf-8")
    limits = Limits(sentence_bytes=size - over)
    for read in (lambda: read_sentences(lines, limits=limits), lambda: read_sentence_files(file, limits=limits)):
        if over <= 0:
            assert len(read()) == 2
        else:
            with pytest.raises(LimitError, match="byte pairs are learned from words"):
                read()


def test_a_sentence_that_normalizing_makes_too_long_is_a_limit(tmp_path):
    (tmp_path / "a.txt").write_text("가" * 100 + "\n", encoding="utf-8")
    giant = (Replace("가", "나" * 1000), Replace("나", "다" * 60_000))
    reader = SentenceReader(normalization=tuple(step for part in giant for step in part.native_steps()))
    for read in (lambda: read_sentences(["가" * 100], reader), lambda: read_sentence_files(tmp_path / "a.txt", reader)):
        with pytest.raises(LimitError, match="makes a text too long"):
            read()
