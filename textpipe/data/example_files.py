"""Files of examples by the task they are for and the format they come in.

What enters: paths, and a format: one of well-known data sets as they are published, or what a user says of a file of
his own. What leaves: the examples of all files, in order, each of which knows file and line.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Literal, get_args

from textpipe.data.labelled_text import Columns, Example, iter_examples
from textpipe.data.question_text import Question, iter_questions
from textpipe.data.tagged_text import TaggedText, iter_tagged
from textpipe.errors import ConfigError, InputError, did_you_mean

__all__ = ["FORMATS", "AnyExample", "ExampleFormat", "TaskName", "format_named", "read_examples"]

TaskName = Literal["label", "score", "tags", "answer"]
"""What is told of a text, or of two: which label, what number, what each part of it is, where it answers a question."""

AnyExample = Example | TaggedText | Question


@dataclass(frozen=True, slots=True)
class ExampleFormat:
    """How files hold the examples of a task.

    Parameters
    ----------
    task : what is to be told.
    columns : of tables, for labels and scores.
    separator : between the tokens of tagged text: a space where they are words, nothing where they are characters.
    """

    task: TaskName
    columns: Columns = field(default_factory=Columns)
    separator: Literal["", " "] = " "


FORMATS: Mapping[str, ExampleFormat] = MappingProxyType(
    {
        "nsmc": ExampleFormat("label", Columns("document", may_be_empty=True)),
        "klue-nli": ExampleFormat("label", Columns("premise", "hypothesis", "gold_label")),
        "kornli": ExampleFormat("label", Columns("sentence1", "sentence2", "gold_label")),
        "klue-sts": ExampleFormat("score", Columns("sentence1", "sentence2", "labels.label")),
        "korsts": ExampleFormat("score", Columns("sentence1", "sentence2", "score")),
        "klue-ner": ExampleFormat("tags", separator=""),
        "conll": ExampleFormat("tags"),
        "squad": ExampleFormat("answer"),
        "korquad": ExampleFormat("answer"),
    }
)
"""Well-known data sets as they are published."""


def format_named(
    name: str | None,
    task: str | None,
    *,
    text: str | None = None,
    second: str | None = None,
    label: str | None = None,
) -> ExampleFormat:
    """The format of this name, or that of a table of one's own.

    Parameters
    ----------
    name : of :data:`FORMATS`; absent for a file of one's own.
    task : what is told; given by the format where there is one.
    text, second, label : columns, over those of the format.

    Raises
    ------
    ConfigError
        for an unknown name, a format of another task, columns where there are none, or neither name nor task.

    Examples
    --------
    >>> format_named("korsts", None).columns.label
    'score'
    >>> format_named(None, "label", text="review").columns.text
    'review'
    """
    if name is not None and name not in FORMATS:
        raise ConfigError(f"no format {name!r}", where="--format", hint=did_you_mean(name, FORMATS))
    if task is not None and task not in get_args(TaskName):
        raise ConfigError(f"no task {task!r}", where="--task", hint=did_you_mean(task, get_args(TaskName)))
    if name is None and task is None:
        raise ConfigError(
            "what is to be told of the texts?",
            allowed=f"--task {', '.join(get_args(TaskName))}, or --format {', '.join(FORMATS)}",
        )
    made = FORMATS[name] if name is not None else ExampleFormat(_task(task))
    if task is not None and task != made.task:
        raise ConfigError(f"{name} is for the task {made.task}", where="--task", hint="leave it out")
    given = {"text": text, "second": second, "label": label}
    given = {key: value for key, value in given.items() if value is not None}
    if made.task in ("tags", "answer"):
        if given:
            raise ConfigError(f"files of {made.task} have no named columns", where=f"--{next(iter(given))}-column")
        if name is None and made.task == "tags":
            raise ConfigError(
                "are the tokens of the file words or characters?",
                where="--format",
                allowed="conll (words) or klue-ner (characters, spaces among them)",
            )
        return made
    old = {key: getattr(made.columns, key) for key in ("text", "second", "label")}
    return ExampleFormat(made.task, replace(made.columns, **{**old, **given}))


def _task(name: str | None) -> TaskName:
    return next(known for known in get_args(TaskName) if known == name)


def read_examples(paths: Iterable[str | os.PathLike[str]], format_: ExampleFormat) -> list[AnyExample]:
    """The examples of files.

    Raises
    ------
    InputError
        when there are none, or a file is not there.
    FormatError
        naming the line that is wrong.
    """
    found: list[AnyExample] = []
    files = list(map(Path, paths))
    for path in files:
        before = len(found)
        if format_.task == "tags":
            found += iter_tagged(path, separator=format_.separator)
        elif format_.task == "answer":
            found += iter_questions(path)
        else:
            found += iter_examples(path, format_.columns)
        if len(found) == before:
            raise InputError("no example in this file", where=path)
    return found
