"""The files that hold a vocabulary alone: vocab.json, merges.txt, vocab.txt.

What enters: the path of one. What leaves: pieces with their ids, or pairs in rank order. Promises: a fault is named
with its file and line; no file, piece or count is above the caps.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from textpipe.errors import FormatError, InputError
from textpipe.files.reading import decode_text, read_bytes
from textpipe.limits import DEFAULT_LIMITS, Limits

__all__ = [
    "MergesOrPath",
    "VocabOrPath",
    "merges_text",
    "read_merges",
    "read_vocab_json",
    "read_vocab_txt",
    "vocab_fault",
    "vocab_json_text",
    "vocab_txt_text",
]

_CAPS = DEFAULT_LIMITS

VocabOrPath: TypeAlias = Mapping[str, int] | str | os.PathLike[str]
"""A vocabulary, piece → id, or the path of its file."""

MergesOrPath: TypeAlias = Iterable[tuple[str, str]] | str | os.PathLike[str]
"""Pairs of pieces, or the path of a merges.txt."""


def read_vocab_json(path: str | os.PathLike[str]) -> dict[str, int]:
    """The vocabulary in a vocab.json: one object, piece → id.

    Raises
    ------
    FormatError
        when the file is not one.
    """
    text = decode_text(read_bytes(path, _CAPS.tokenizer_file_bytes), path)
    try:
        pieces = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"not JSON: {error}", path=path) from None
    if not isinstance(pieces, dict):
        raise FormatError("not an object of piece: id", path=path)
    fault = vocab_fault(pieces, _CAPS)
    if fault is not None:
        raise FormatError(fault[0], path=path, allowed=fault[1])
    return pieces


def vocab_fault(vocab: Mapping[str, Any], limits: Limits) -> tuple[str, str | None] | None:
    """What is wrong with a vocabulary from outside, and what was allowed; None where nothing is.

    The usual vocabulary is looked at as a whole, and piece by piece only where something is wrong.
    """
    if len(vocab) > limits.vocab_size:
        return f"has {len(vocab)} pieces", f"at most {limits.vocab_size}"
    numbers = vocab.values()
    if set(map(type, numbers)) - {int} or not 0 <= min(numbers, default=0) <= max(numbers, default=0) < limits.token_id:
        piece, number = next(
            (piece, number)
            for piece, number in vocab.items()
            if type(number) is not int or not 0 <= number < limits.token_id
        )
        return f'gives "{piece[:40]}" the id {number!r:.40}', f"a whole number, 0 to {limits.token_id - 1}"
    if max(map(len, vocab), default=0) * 4 > limits.piece_bytes:
        longest = max(vocab, key=lambda piece: len(piece.encode("utf-8", "replace")))
        if len(longest.encode("utf-8", "replace")) > limits.piece_bytes:
            return f"has a piece of {len(longest)} characters", f"at most {limits.piece_bytes} bytes"
    if len(set(numbers)) != len(vocab):
        seen: dict[int, str] = {}
        for piece, number in vocab.items():
            if seen.setdefault(number, piece) != piece:
                return f'gives "{seen[number][:40]}" and "{piece[:40]}" the same id {number}', None
    return None


def read_merges(path: str | os.PathLike[str]) -> list[tuple[str, str]]:
    """The merges in a merges.txt: two pieces a line with a space between, the first merged first.

    Raises
    ------
    FormatError
        when a line is no merge.
    """
    pairs: list[tuple[str, str]] = []
    for number, line in _lines(path):
        if line.startswith("#version") or not line:
            continue
        words = line.split(" ")
        if len(words) != 2:
            raise FormatError("a merge is two pieces with a space between", path=path, field=f"line {number}")
        for word in words:
            _check_piece(word, path, number)
        if len(pairs) == _CAPS.num_merges:
            raise FormatError("has too many merges", path=path, allowed=f"at most {_CAPS.num_merges}")
        pairs.append((words[0], words[1]))
    return pairs


def read_vocab_txt(path: str | os.PathLike[str]) -> dict[str, int]:
    """The vocabulary in a vocab.txt: a piece a line, its id the number of the line from 0.

    Raises
    ------
    FormatError
        when the file is not UTF-8, or a piece stands in it twice.
    """
    pieces: dict[str, int] = {}
    for number, line in _lines(path):
        piece = line.rstrip()
        _check_piece(piece, path, number)
        if number > _CAPS.vocab_size:
            raise FormatError("has too many pieces", path=path, allowed=f"at most {_CAPS.vocab_size}")
        if pieces.setdefault(piece, number - 1) != number - 1:
            raise FormatError(f'"{piece[:40]}" stands twice', path=path, field=f"line {number}")
    return pieces


def _lines(path: str | os.PathLike[str]) -> Iterable[tuple[int, str]]:
    rows = decode_text(read_bytes(path, _CAPS.tokenizer_file_bytes), path).split("\n")
    if rows[-1] == "":
        rows.pop()
    return ((number, row.rstrip("\r")) for number, row in enumerate(rows, 1))


def _check_piece(piece: str, path: str | os.PathLike[str], line: int) -> None:
    if len(piece) * 4 > _CAPS.piece_bytes and len(piece.encode("utf-8", "replace")) > _CAPS.piece_bytes:
        raise FormatError(
            f"a piece of {len(piece)} characters",
            path=path,
            field=f"line {line}",
            allowed=f"at most {_CAPS.piece_bytes} bytes",
        )


def vocab_json_text(pieces_by_id: Mapping[str, int]) -> str:
    """The text of a vocab.json."""
    return json.dumps(dict(pieces_by_id), ensure_ascii=False, separators=(",", ":"))


def merges_text(merges: Iterable[tuple[str, str]]) -> str:
    """The text of a merges.txt.

    Raises
    ------
    InputError
        when a piece holds a space or a line end, which would cut it in two.
    """
    rows = ["#version: 0.2\n"]
    for left, right in merges:
        for piece in (left, right):
            if " " in piece or "\n" in piece or not piece:
                raise InputError(f"merges.txt cannot hold the piece {piece[:40]!r}", hint="write tokenizer.json")
        rows.append(f"{left} {right}\n")
    return "".join(rows)


def vocab_txt_text(pieces_by_id: Mapping[str, int]) -> str:
    """The text of a vocab.txt.

    Raises
    ------
    InputError
        when the ids have gaps, or a piece would not be read back.
    """
    for line, (piece, number) in enumerate(pieces_by_id.items()):
        if number != line:
            raise InputError(f'vocab.txt cannot hold "{piece[:40]}" with the id {number}', allowed=f"the id {line}")
        if piece != piece.rstrip() or "\n" in piece:
            raise InputError(f"vocab.txt cannot hold the piece {piece[:40]!r}", hint="write tokenizer.json")
    return "".join(f"{piece}\n" for piece in pieces_by_id)
