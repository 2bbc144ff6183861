"""Word counts on disk: the same bytes for the same counts, sums over machines, and refusals of what is damaged."""

from __future__ import annotations

import hashlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textpipe import Tokenizer, models, normalizers, pre_tokenizers
from textpipe.core._native import grammar_step
from textpipe.core._word_counts import WordCounts
from textpipe.errors import FormatError, InputError, LimitError, StateError
from textpipe.trainers import (
    BpeTrainer,
    WordCutter,
    count_files,
    count_texts,
    counts_file,
    load_counts,
    save_counts,
    train_bpe,
)

LINES = ["밥을 먹고 학교에 갔다ㅋㅋㅋ", "\u1112\u1161\u11ab글 ㅠㅠ", "The ferry is late", "밥을 또 먹었다 😀"] * 7
SETTINGS = '{"pre_tokenizer":"밥"}'
BYTE_LEVEL = WordCutter(cutting=(grammar_step(0),), byte_level=True, settings=SETTINGS)


def counts_of(words, *, byte_level=False):
    counts = WordCounts(byte_level=byte_level)
    for word, count in words.items():
        counts.add(word, count)
    return counts


@pytest.fixture
def saved(tmp_path):
    file = tmp_path / "ko.counts"
    save_counts(file, counts_of({"밥".encode(): 3, b"a": 1 << 40, "바".encode(): 7}), SETTINGS)
    return file


@given(st.dictionaries(st.binary(max_size=300), st.integers(1, 1 << 50), max_size=30))
def test_any_counts_come_back(tmp_path_factory, words):
    file = tmp_path_factory.mktemp("counts") / "any.counts"
    save_counts(file, counts_of(words, byte_level=True), SETTINGS)
    counts, settings = load_counts(file)
    assert (dict(counts.items()), counts.byte_level, settings) == (words, True, SETTINGS)


def test_the_bytes_are_those_written_down(tmp_path):
    file = tmp_path / "a.counts"
    save_counts(file, counts_of({b"b": 2, b"": 1, b"ab": 1 << 33}, byte_level=True), "{}")
    body = b"\x89TPWORD\r\n\x1a\n\x00" + struct.pack("<IIIQQ", 1, 1, 2, 3, 3) + b"{}"
    body += struct.pack("<QQQ", 1, 1 << 33, 2) + struct.pack("<III", 0, 2, 1) + b"abb"
    assert file.read_bytes() == body + hashlib.sha256(body).digest()


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_threads_do_not_change_the_bytes(tmp_path, threads):
    file = tmp_path / "threads.counts"
    save_counts(file, count_texts(LINES, BYTE_LEVEL, threads=threads), SETTINGS)
    once = tmp_path / "once.counts"
    save_counts(once, count_texts(reversed(LINES), BYTE_LEVEL, threads=1), SETTINGS)
    assert file.read_bytes() == once.read_bytes()


def test_counts_of_two_machines_and_a_text_add_up_to_the_counts_of_all(tmp_path):
    parts = []
    for number in range(2):
        parts.append(tmp_path / f"{number}.counts")
        save_counts(parts[-1], count_texts(LINES[number::3], BYTE_LEVEL), SETTINGS)
    text = tmp_path / "rest.txt"
    text.write_text("\n".join(LINES[2::3]), encoding="utf-8")
    together = count_files([*parts, text], BYTE_LEVEL)
    ends = [line + "\n" for line in LINES[2::3]]
    ends[-1] = ends[-1].rstrip("\n")
    whole = count_texts([*LINES[0::3], *LINES[1::3], *ends], BYTE_LEVEL)
    assert together.items() == whole.items()
    assert train_bpe(together, BpeTrainer(vocab_size=120)) == train_bpe(whole, BpeTrainer(vocab_size=120))


def test_a_tokenizer_trains_from_counts_as_from_the_text(tmp_path):
    def tokenizer():
        made = Tokenizer(models.BPE())
        made.normalizer = normalizers.NFC()
        made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        return made

    cutter = tokenizer().pipeline.word_cutter()
    file = tmp_path / "ko.counts"
    save_counts(file, count_texts(LINES, cutter), cutter.settings)
    from_counts, from_text = tokenizer(), tokenizer()
    from_counts.train(file, BpeTrainer(vocab_size=120))
    from_text.train_from_iterator(LINES, BpeTrainer(vocab_size=120))
    assert from_counts.to_str() == from_text.to_str()


def cutter_with(normalizer, pre_tokenizer=None, added=()):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizer or pre_tokenizers.ByteLevel(add_prefix_space=False)
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    tokenizer.add_tokens(list(added))
    return tokenizer.pipeline.word_cutter()


@pytest.mark.parametrize(
    "other",
    [
        cutter_with(normalizers.NFD()),
        cutter_with(None),
        cutter_with(normalizers.NFC(), pre_tokenizers.ByteLevel(add_prefix_space=True)),
        cutter_with(normalizers.NFC(), pre_tokenizers.Whitespace()),
        cutter_with(normalizers.NFC(), added=["밥"]),
    ],
)
def test_counts_of_other_stages_are_not_mixed_in(tmp_path, other):
    cutter = cutter_with(normalizers.NFC())
    file = tmp_path / "ko.counts"
    save_counts(file, count_texts(LINES, cutter), cutter.settings)
    with pytest.raises(StateError, match=r"ko\.counts: the words of these counts were made by other stages"):
        count_files(file, other)


def test_counts_are_not_taken_where_nothing_tells_that_they_fit(saved):
    with pytest.raises(StateError, match="no settings"):
        count_files(saved, WordCutter(cutting=(grammar_step(3),)))


def test_counts_of_bytes_are_not_taken_for_characters(saved):
    with pytest.raises(StateError, match="other stages"):
        count_files(saved, BYTE_LEVEL)


def test_a_sum_beyond_63_bits_is_refused(tmp_path):
    file = tmp_path / "huge.counts"
    save_counts(file, counts_of({b"a": (1 << 63) - 1}), SETTINGS)
    with pytest.raises(LimitError, match=r"huge\.counts: the counts together pass 2\^63 - 1"):
        count_files([file, file], WordCutter(cutting=(grammar_step(3),), settings=SETTINGS))
    with pytest.raises(LimitError, match="pass"):
        save_counts(tmp_path / "more.counts", counts_of({b"a": 1 << 63}), SETTINGS)
    assert not (tmp_path / "more.counts").exists()


# ---- damage


def test_a_file_cut_anywhere_is_refused(saved):
    whole = saved.read_bytes()
    for size in range(len(whole)):
        saved.write_bytes(whole[:size])
        with pytest.raises(FormatError):
            load_counts(saved)


def test_a_file_with_any_byte_changed_is_refused(saved):
    whole = saved.read_bytes()
    for at in range(len(whole)):
        saved.write_bytes(whole[:at] + bytes([whole[at] ^ 0x41]) + whole[at + 1 :])
        with pytest.raises(FormatError):
            load_counts(saved)


def test_a_longer_file_is_refused_with_the_size_it_should_have(saved):
    size = saved.stat().st_size
    saved.write_bytes(saved.read_bytes() + b"\0")
    with pytest.raises(FormatError, match=f"allowed: {size}"):
        load_counts(saved)


def test_sizes_that_are_made_up_reserve_no_memory(saved):
    head = counts_file.MAGIC + struct.pack("<IIIQQ", 1, 0, 0, 1 << 60, 1 << 60)
    saved.write_bytes(head + bytes(32))
    with pytest.raises(FormatError, match="the file has 72 bytes"):
        load_counts(saved)


def test_a_text_is_no_file_of_counts(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("밥", encoding="utf-8")
    assert not counts_file.is_counts_file(file)
    with pytest.raises(FormatError, match="no file of word counts"):
        load_counts(file)


def test_a_later_version_is_refused_by_its_number(saved):
    data = bytearray(saved.read_bytes())
    data[len(counts_file.MAGIC)] = 9
    saved.write_bytes(data)
    with pytest.raises(FormatError, match="version: is of version 9"):
        load_counts(saved)


@pytest.mark.parametrize(
    ("counts", "sizes", "words", "message"),
    [
        ((1, 1), (1, 1), b"ba", "word 1 is not after"),
        ((1, 1), (1, 1), b"aa", "word 1 is not after"),
        ((0,), (1,), b"a", "word 0 has a count that cannot be"),
        ((1 << 63,), (1,), b"a", "word 0 has a count that cannot be"),
        ((1,), (2,), b"a", "word 0 runs past the end"),
        ((1,), (1,), b"ab", "word 1 is missing"),
        ((1,), (1,), b"\xeb", "word 0 is not UTF-8"),
        ((1 << 62, 1 << 62), (1, 1), b"ab", "pass"),
    ],
)
def test_content_that_cannot_be_is_refused_though_its_checksum_fits(tmp_path, counts, sizes, words, message):
    header = struct.pack("<IIIQQ", 1, 0, 0, len(counts), len(words))
    body = counts_file.MAGIC + header + struct.pack(f"<{len(counts)}Q", *counts)
    body += struct.pack(f"<{len(sizes)}I", *sizes) + words
    file = tmp_path / "made.counts"
    file.write_bytes(body + hashlib.sha256(body).digest())
    with pytest.raises(FormatError, match=message):
        load_counts(file)


def test_columns_that_are_refused_add_nothing():
    counts = counts_of({b"a": 1})
    with pytest.raises(InputError):
        counts.add_columns(struct.pack("<QQ", 1, 1), struct.pack("<II", 1, 1), b"cb")
    with pytest.raises(InputError, match="differ in length"):
        counts.add_columns(struct.pack("<Q", 1), struct.pack("<II", 1, 1), b"bc")
    assert counts.items() == [(b"a", 1)]
