"""Questions on disk: a text, questions about it, and where in the text their answers stand (SQuAD, KorQuAD).

What enters: JSON files in the layout of SQuAD 1.1 and 2.0, which KorQuAD 1.0 and KLUE share. What leaves: questions, in
order, each with its text and its answers. An answer that does not stand where the file says is refused: a model would
learn another one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from textpipe.errors import FormatError, InputError
from textpipe.files.reading import read_bytes
from textpipe.formats.fields import Field, parse_json
from textpipe.limits import DEFAULT_LIMITS, Limits

__all__ = ["Question", "iter_questions"]


@dataclass(frozen=True, slots=True)
class Question:
    """A question about a text; ``answers`` are the characters ``[begin, end)`` of each right answer, none if the text
    has none; ``where`` names file and question."""

    id: str
    text: str
    context: str
    answers: tuple[tuple[int, int], ...]
    where: str

    @property
    def answer_texts(self) -> list[str]:
        """What the right answers say; one that is empty where there is none."""
        return [self.context[begin:end] for begin, end in self.answers] or [""]


def iter_questions(path: str | os.PathLike[str], limits: Limits = DEFAULT_LIMITS) -> Iterator[Question]:
    """The questions of a file.

    Raises
    ------
    InputError
        for a file that is not there.
    FormatError
        naming what is missing, or the question whose answer does not stand where the file says.

    Notes
    -----
    The file is read whole, and its size is capped.
    """
    if not Path(path).is_file():
        raise InputError("no such file", where=path)
    data = parse_json(read_bytes(path, limits.examples_json_bytes), path=str(path), limits=limits)
    for article in Field(data, "", str(path)).need("data").items():
        for paragraph in article.need("paragraphs").items():
            context = paragraph.need("context").of(str)
            for row in paragraph.need("qas").items():
                yield _question(row, context, path)


def _question(row: Field, context: str, path: str | os.PathLike[str]) -> Question:
    number = row.part("id", required=False)
    name = "" if number is None else str(number.value)
    is_impossible = row.get("is_impossible", bool, False)
    answers = []
    for answer in () if is_impossible else row.need("answers").items():
        text, begin = answer.need("text").of(str), answer.need("answer_start").of(int)
        found = context[begin : begin + len(text)] if begin >= 0 else ""
        if found != text or not text.strip():
            raise FormatError(
                f"the answer {text[:40]!r} does not stand at character {begin}: there is {found[:40]!r}",
                path=path,
                field=f"question {name}",
                hint="was the text normalized after the answers were counted?",
            )
        answers.append((begin, begin + len(text)))
    return Question(
        name, row.need("question").of(str), context, tuple(dict.fromkeys(answers)), f"{path}: question {name}"
    )
