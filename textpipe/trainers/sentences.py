"""From text to sentences, as sentencepiece trains on them.

What enters: files, or an iterator of strings, one sentence each, and a :class:`SentenceReader` that says how they are
normalized. What leaves: ``Sentences``, which hold the text with U+2581 for spaces. Promises: the sentences and the
order that the trainers of sentencepiece 0.2.3 have after loading the same lines: empty and overlong ones left out, as
those that hold U+2585, which stands for unknown characters; special tokens cut out of the text.

Unlike word counts, sentences are kept in memory as they are: about the size of the text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from textpipe.core._sentences import Sentences
from textpipe.core._word_counts import is_utf8
from textpipe.errors import ConfigError, InputError
from textpipe.sources import TEXT_COLUMN, Inputs, LineReader, expand, is_jsonl, is_parquet, iter_texts
from textpipe.trainers.counting import Progress

__all__ = ["SentenceReader", "Sentences", "read_sentence_files", "read_sentences"]

_UNKNOWN = "\u2585"
_CHUNK_BYTES = 1 << 20
_BATCH = 4096


@dataclass(frozen=True, kw_only=True)
class SentenceReader:
    """How lines become sentences.

    Parameters
    ----------
    normalize : rewrites the characters of a line; what it leaves of spaces is settled afterwards.
    reserved : special tokens, which the text is cut at.
    add_dummy_prefix : begin (or end) each sentence with a space.
    remove_extra_whitespaces : drop spaces at the ends and those that follow others.
    treat_whitespace_as_suffix : the space of ``add_dummy_prefix`` goes to the end.
    max_sentence_bytes : longer lines are left out.
    """

    normalize: Callable[[str], str] | None = None
    reserved: tuple[str, ...] = ()
    add_dummy_prefix: bool = True
    remove_extra_whitespaces: bool = True
    treat_whitespace_as_suffix: bool = False
    max_sentence_bytes: int = 4192

    def __post_init__(self) -> None:
        if self.max_sentence_bytes < 1:
            raise ConfigError(f"max_sentence_bytes cannot be {self.max_sentence_bytes}", allowed="1 or more")

    def sentences(self) -> Sentences:
        """None yet, to be filled."""
        return Sentences(
            reserved=self.reserved,
            add_dummy_prefix=self.add_dummy_prefix,
            remove_extra_whitespaces=self.remove_extra_whitespaces,
            treat_whitespace_as_suffix=self.treat_whitespace_as_suffix,
        )

    def takes(self, line: str) -> bool:
        """Is a line trained on?"""
        if not line or _UNKNOWN in line:
            return False
        # A character has at most four bytes: most lines need not be encoded to be measured.
        return len(line) * 4 <= self.max_sentence_bytes or len(line.encode()) <= self.max_sentence_bytes


def read_sentences(
    lines: Iterable[str], reader: SentenceReader | None = None, *, progress: Progress | None = None
) -> Sentences:
    """Sentences of strings, each one line; line ends are dropped.

    Raises
    ------
    InputError
        when something is not a string.

    Examples
    --------
    >>> read_sentences(["밥을  먹고", "", "학교에"]).rows() == [
    ...     ("▁밥을▁먹고".encode(), 1), ("▁학교에".encode(), 1)]
    True
    """
    return _read((_checked(line).rstrip("\r\n") for line in lines), reader or SentenceReader(), progress)


def read_sentence_files(
    inputs: Inputs,
    reader: SentenceReader | None = None,
    *,
    text_column: str = TEXT_COLUMN,
    progress: Progress | None = None,
) -> Sentences:
    """Sentences of the lines of text files, and of the lines of the documents of JSONL and Parquet files.

    Raises
    ------
    InputError
        when a file is absent, unreadable, or not UTF-8.
    """
    paths = expand(inputs)
    files = LineReader(chunk_bytes=_CHUNK_BYTES, is_utf8=is_utf8, text_column=text_column)

    def lines() -> Iterator[str]:
        for path in paths:
            if is_jsonl(path) or is_parquet(path):
                for text in iter_texts(path, reader=files):
                    yield from text.split("\n")
                continue
            for chunk in files.read(path):
                # Only a newline ends a line; the last one of a chunk has its own.
                yield from chunk.decode().split("\n")

    return _read(lines(), reader or SentenceReader(), progress)


def _checked(line: object) -> str:
    if not isinstance(line, str):
        raise InputError(f"cannot train from {type(line).__name__}", allowed="strings")
    return line


def _read(lines: Iterable[str], reader: SentenceReader, progress: Progress | None) -> Sentences:
    sentences = reader.sentences()
    batch: list[str] = []
    done = 0

    def flush() -> None:
        nonlocal batch
        sentences.extend(batch if reader.normalize is None else [reader.normalize(line) for line in batch])
        batch = []
        if progress is not None:
            progress("read sentences", done, None, unit="characters")

    for line in lines:
        done += len(line) + 1
        if reader.takes(line):
            batch.append(line)
            if len(batch) == _BATCH:
                flush()
    flush()
    sentences.drop_empty()
    return sentences
