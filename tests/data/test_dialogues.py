"""Dialogues: every message behind what was said before it, packed so that no turn can end another."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textpipe.data.dialogues import dialogue_pairs, iter_dialogues
from textpipe.data.pairs import PackedPairs, PairFrame, pack_pairs
from textpipe.errors import FormatError, InputError

TALK = ("안녕", "네, 안녕하세요", "뭐 해?", "쉬어요 ㅋㅋ", "그래")


def written(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path / name


def test_lines_and_objects_are_the_same_dialogues(tmp_path):
    lines = written(tmp_path, "a.txt", "\n\n안녕\n네\n \n뭐 해?\n 쉬어요\n그래\n")
    rows = written(
        tmp_path,
        "a.jsonl",
        "".join(json.dumps({"turns": each}) + "\n" for each in (["안녕", "네"], ["뭐 해?", "쉬어요", "그래"])),
    )
    expected = [("안녕", "네"), ("뭐 해?", "쉬어요", "그래")]
    assert list(iter_dialogues([lines])) == list(iter_dialogues([rows])) == expected
    assert list(iter_dialogues([lines, rows])) == expected * 2


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.txt", "안녕\n네\n\n\n혼잣말\n\n가\n나\n", "line 5: a dialogue of one message"),
        ("a.txt", "안녕\n네\n\n혼잣말", "line 4: a dialogue of one message"),
        ("a.jsonl", '{"turns": ["가", "나"]}\n{"turns": "가나"}\n', "line 2: not an object with turns"),
        ("a.jsonl", '{"turns": ["가", " "]}\n', "line 1: not an object with turns"),
        ("a.jsonl", "[1]\n", "line 1: not an object with turns"),
    ],
)
def test_what_is_no_dialogue_is_named_with_its_line(tmp_path, name, text, message):
    with pytest.raises(FormatError, match=message):
        list(iter_dialogues([written(tmp_path, name, text)]))
    with pytest.raises(InputError, match="no such file"):
        list(iter_dialogues([tmp_path / "absent.txt"]))


@given(st.integers(2, 9), st.integers(0, 4))
def test_every_message_is_answered_once_and_reads_no_more_than_its_history(size, history):
    said = tuple(f"말 {number}" for number in range(size))
    pairs = list(dialogue_pairs([said], history=history))
    assert [answer for _, answer in pairs] == list(said[1:])
    for place, (source, _) in enumerate(pairs):
        assert source == said[: place + 1][-(2 * history + 1) :]


@pytest.mark.parametrize("before", [(), (7, 5)])
def test_each_turn_of_a_source_is_ended_and_a_single_text_is_packed_as_ever(small_tokenizer, tmp_path, before):
    ids = [small_tokenizer.encode(text, add_special_tokens=False, special="text").ids for text in TALK]
    pairs = [*dialogue_pairs([TALK], history=1), ("바다 <|endoftext|>", "배")]
    packed = pack_pairs(
        pairs, pairs, small_tokenizer, tmp_path / "pairs", frame=PairFrame(before_source=before, history=1)
    )
    source = PackedPairs(tmp_path / "pairs").train.source
    found = [part.tolist() for part in np.split(source.tokens, source.offsets[1:-1])]
    for place in range(1, len(TALK)):
        turns = ids[max(0, place - 3) : place]
        assert found[place - 1] == [*before, *(one for turn in turns for one in [*turn, 0])]
    text = small_tokenizer.encode("바다 <|endoftext|>", add_special_tokens=False, special="text").ids
    assert found[-1] == [*before, *text, 0]
    assert found[-1].count(0) == 1
    assert packed.frame.history == 1


def test_a_turn_of_nothing_is_refused(small_tokenizer, tmp_path):
    with pytest.raises(InputError, match="pair 2 of train has an empty source"):
        pack_pairs([("가", "나"), (("가", " "), "나")], [("가", "나")], small_tokenizer, tmp_path / "pairs")
    assert not (tmp_path / "pairs").exists()
