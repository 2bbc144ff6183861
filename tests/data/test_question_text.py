"""Questions from files in SQuAD's layout."""

from __future__ import annotations

import json

import pytest

from textpipe.data.question_text import iter_questions
from textpipe.errors import FormatError, InputError

CONTEXT = "한글은 세종대왕이 1443년에 만들었다."


def write(folder, *rows, context=CONTEXT):
    path = folder / "questions.json"
    data = {"version": "x", "data": [{"title": "한글", "paragraphs": [{"context": context, "qas": list(rows)}]}]}
    path.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
    return path


def row(text="세종대왕", begin=4, **more):
    return {"id": "q1", "question": "누가?", "answers": [{"text": text, "answer_start": begin}], **more}


def test_questions_come_with_their_text_and_where_answers_stand(tmp_path):
    again = {"text": "세종대왕이", "answer_start": 4}
    first = row()
    first["answers"] += [again, again]
    one, other = iter_questions(write(tmp_path, first, row("1443년", 10, id="q2")))
    assert (one.id, one.text, one.context, one.answers) == ("q1", "누가?", CONTEXT, ((4, 8), (4, 9)))
    assert one.answer_texts == ["세종대왕", "세종대왕이"]
    assert other.answer_texts == ["1443년"]
    assert other.where == f"{tmp_path / 'questions.json'}: question q2"


def test_a_question_without_an_answer_has_one_that_is_empty(tmp_path):
    both = write(tmp_path, row(is_impossible=True), {"id": "q2", "question": "?", "answers": []})
    for question in iter_questions(both):
        assert (question.answers, question.answer_texts) == ((), [""])


@pytest.mark.parametrize("begin", [3, 5, -1, 900])
def test_an_answer_that_stands_elsewhere_is_refused_with_the_question_named(tmp_path, begin):
    with pytest.raises(FormatError, match=r"question q1.*'세종대왕' does not stand at character"):
        list(iter_questions(write(tmp_path, row(begin=begin))))


@pytest.mark.parametrize(
    ("text", "message"),
    [("[]", "allowed: an object"), ('{"data": [{}]}', "paragraphs"), ("{", "JSON"), ('{"data": 3}', "data")],
)
def test_another_layout_says_what_is_missing(tmp_path, text, message):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(FormatError, match=message):
        list(iter_questions(path))


def test_a_file_that_is_not_there_says_so(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        list(iter_questions(tmp_path / "absent.json"))
