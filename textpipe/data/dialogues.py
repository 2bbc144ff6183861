"""Dialogues on disk: what two people say in turn.

What enters: text files with a message a line and an empty line between two dialogues, or JSONL files whose objects have
a list of ``turns``. What leaves: dialogues, in order; and of each dialogue every message with the turns before it, and
what was answered: pairs to learn answering from.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from textpipe.errors import FormatError, InputError
from textpipe.sources import is_jsonl, iter_lines

__all__ = ["dialogue_pairs", "iter_dialogues"]

StrPath = str | os.PathLike[str]
Dialogue = tuple[str, ...]


def iter_dialogues(paths: Iterable[StrPath]) -> Iterator[Dialogue]:
    """The dialogues of files (``.txt``, ``.jsonl``, also ``.gz`` and ``.zst``), each with two messages or more.

    Raises
    ------
    InputError
        for a file that is not there.
    FormatError
        naming file and line, for a dialogue of one message, or an object without turns.
    """
    for path in paths:
        if not Path(path).is_file():
            raise InputError("no such file", where=path)
        for number, dialogue in _of_objects(path) if is_jsonl(path) else _of_lines(path):
            if len(dialogue) < 2:
                raise FormatError(
                    "a dialogue of one message, which nobody answers",
                    path=path,
                    field=f"line {number}",
                    allowed="2 messages or more, a line each, and an empty line between dialogues",
                )
            yield dialogue


def _of_lines(path: StrPath) -> Iterator[tuple[int, Dialogue]]:
    said: list[str] = []
    number = 0
    for number, line in enumerate(iter_lines(path), 1):
        if line.strip():
            said.append(line.strip())
        elif said:
            yield number - len(said), tuple(said)
            said = []
    if said:
        yield number - len(said) + 1, tuple(said)


def _of_objects(path: StrPath) -> Iterator[tuple[int, Dialogue]]:
    for number, line in enumerate(iter_lines(path), 1):
        if not line.strip():
            continue
        try:
            turns = json.loads(line)["turns"]
        except (ValueError, KeyError, TypeError):
            turns = None
        if not isinstance(turns, list) or not all(isinstance(text, str) and text.strip() for text in turns):
            raise FormatError("not an object with turns, a list of texts", path=path, field=f"line {number}")
        yield number, tuple(text.strip() for text in turns)


def dialogue_pairs(dialogues: Iterable[Dialogue], *, history: int) -> Iterator[tuple[Dialogue, str]]:
    """Every message that was answered, behind up to ``history`` turns before it, and its answer.

    A turn is a message and its answer, so that as many as twice that many texts stand before a message.

    Examples
    --------
    >>> list(dialogue_pairs([("안녕", "네", "뭐 해?", "쉬어요")], history=1))
    [(('안녕',), '네'), (('안녕', '네'), '뭐 해?'), (('안녕', '네', '뭐 해?'), '쉬어요')]
    """
    for said in dialogues:
        for place in range(1, len(said)):
            yield said[max(0, place - 1 - 2 * history) : place], said[place]
