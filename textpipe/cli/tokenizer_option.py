"""The ``--tokenizer`` option and the texts of the tokenizer verbs.

What enters: words of the command line. What leaves: a tokenizer, and texts from arguments, files or standard input.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from textpipe.errors import InputError

if TYPE_CHECKING:
    from textpipe.tokenizer import Tokenizer

__all__ = ["TOKENIZER", "load", "read_stdin", "texts_of"]

TOKENIZER = typer.Option(
    Path("vocab"), "--tokenizer", "-t", help="A tokenizer.json, or the folder of one (train-vocab's, a run's)."
)


def load(path: Path) -> Tokenizer:
    """Read the tokenizer."""
    from textpipe.tokenizer import Tokenizer

    return Tokenizer.from_file(path)


def read_stdin() -> str:
    """All of standard input, which must be UTF-8."""
    data = sys.stdin.buffer.read()
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise InputError(f"byte {error.start} is not UTF-8", where="standard input") from None


def texts_of(arguments: list[str], files: list[Path]) -> Iterator[str]:
    """The texts to work on: those named, else those of the files, else standard input as one."""
    if arguments and files:
        raise InputError("texts and --file together", hint="give one or the other")
    if arguments:
        yield from arguments
    elif files:
        from textpipe.sources import iter_texts

        yield from iter_texts(files)
    else:
        yield read_stdin()
