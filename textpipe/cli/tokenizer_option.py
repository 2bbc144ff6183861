"""The ``--tokenizer`` option and the texts of the tokenizer verbs.

What enters: words of the command line. What leaves: a tokenizer, and texts from arguments, files or standard
input, a line of which is a text, as one of a file is.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

from textpipe.errors import InputError

if TYPE_CHECKING:
    from textpipe.tokenizer import Tokenizer

__all__ = [
    "ALLOW",
    "SEED",
    "SPECIAL",
    "SPECIAL_IN_CORPUS",
    "TEMPLATE",
    "TOKENIZER",
    "WHOLE",
    "SpecialPolicy",
    "load",
    "read_stdin",
    "stdin_lines",
    "texts_of",
]

SpecialPolicy = Literal["allow", "text", "raise"]

DEFAULT_TOKENIZER = Path("vocab")  # what train-vocab makes
TOKENIZER = typer.Option(
    DEFAULT_TOKENIZER, "--tokenizer", "-t", help="A tokenizer.json, or the folder of one (train-vocab's, a run's)."
)

ALLOW = typer.Option(
    [],
    "--allow",
    metavar="NAME",
    help="A stage that is no part of tokenizer.json and may run all the same, such as textpipe.Morphemes; "
    "may be repeated.",
)
SPECIAL = typer.Option(
    "allow",
    "--special",
    help="Special tokens written in a text are tokens (allow), plain text (text), or an error (raise). "
    "Texts of people you do not know need one of the last two.",
)
SPECIAL_IN_CORPUS = typer.Option(
    "text",
    "--special",
    help="Special tokens written in a text are plain text (text), an error (raise), or tokens (allow): "
    "the last for texts you wrote yourself, such as chats with their marks.",
)
SEED = typer.Option(0, "--seed", help="What a tokenizer with dropout draws by: the same ids in each run.")
WHOLE = typer.Option(False, "--whole", help="All of standard input is one text, its last line end included.")
TEMPLATE = typer.Option(True, "--template/--no-template", help="Put the template's special tokens around texts.")


def load(path: Path, allow: Iterable[str] = ()) -> Tokenizer:
    """Read the tokenizer; ``allow`` names stages of its that are no part of the format and may be made."""
    from textpipe.tokenizer import Tokenizer

    if path == DEFAULT_TOKENIZER and not path.exists():
        raise InputError(
            f'there is no tokenizer in "{path}", where one is looked for when none is named',
            hint="name its file or its folder: --tokenizer PATH",
        )
    return Tokenizer.from_file(path, allow=allow)


def read_stdin() -> str:
    """All of standard input, which must be UTF-8."""
    return _decoded(sys.stdin.buffer.read(), "standard input")


def _decoded(data: bytes, where: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise InputError(
            f"byte 0x{data[error.start]:02x}, number {error.start}, is not UTF-8",
            where=where,
            hint="write it as UTF-8 first, as iconv -f CP949 -t UTF-8 does of Korean text",
        ) from None


def stdin_lines() -> Iterator[str]:
    """The lines of standard input without their ends, one after the other as they come."""
    for number, line in enumerate(sys.stdin.buffer, 1):
        yield _decoded(line, f"standard input, line {number}").removesuffix("\n").removesuffix("\r")


def texts_of(arguments: list[str], files: list[Path], *, whole: bool = False) -> Iterator[str]:
    """The texts to work on: those named, else those of the files, else the lines of standard input or the ``whole``."""
    if whole and (arguments or files):
        raise InputError("--whole is for standard input", hint="textpipe … --whole < file takes a file as one text")
    if arguments and files:
        raise InputError("texts and --file together", hint="give one or the other")
    if arguments:
        yield from arguments
    elif files:
        from textpipe.sources import iter_texts

        yield from iter_texts(files)
    elif whole:
        yield read_stdin()
    else:
        yield from stdin_lines()
