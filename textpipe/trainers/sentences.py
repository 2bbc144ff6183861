"""From text to sentences, as sentencepiece trains on them.

What enters: files, or an iterator of strings, one sentence each, and a :class:`SentenceReader` that says how they are
normalized. What leaves: ``Sentences``, which hold the text with U+2581 for spaces; or, by a :class:`SentenceCutter`,
the counts of their words. Promises: the sentences and the order that the trainers of sentencepiece 0.2.3 have after
loading the same lines: empty and overlong ones left out, as those that hold U+2585, which stands for unknown
characters; special tokens cut out of the text.

Sentences are kept in memory as they are, about the size of the text, and there is a limit to it; of words the distinct
ones alone are kept. Unigram pieces are sought in sentences, byte pairs need no more than words.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from textpipe.core._native import NativeStep
from textpipe.core._sentences import SentenceCounter, Sentences
from textpipe.core._text import is_utf8
from textpipe.core._word_counts import WordCounts
from textpipe.errors import ConfigError, LimitError, WrongTypeError
from textpipe.limits import DEFAULT_LIMITS, Limits
from textpipe.sources import TEXT_COLUMN, Inputs, LineReader, expand, is_jsonl, is_parquet, iter_texts
from textpipe.trainers.counting import Progress
from textpipe.trainers.word_cutter import Chunk

__all__ = ["SentenceCutter", "SentenceReader", "Sentences", "read_sentence_files", "read_sentences"]

_UNKNOWN = "\u2585"
_CHUNK_BYTES = 1 << 20
_BATCH = 4096


@dataclass(frozen=True, kw_only=True)
class SentenceReader:
    """How lines become sentences.

    Parameters
    ----------
    normalization : native steps that rewrite the characters of a line; what they leave of spaces is settled afterwards.
    normalize : a function that does, where there are no such steps: several times slower.
    reserved : special tokens, which the text is cut at.
    add_dummy_prefix : begin (or end) each sentence with a space.
    remove_extra_whitespaces : drop spaces at the ends and those that follow others.
    treat_whitespace_as_suffix : the space of ``add_dummy_prefix`` goes to the end.
    max_sentence_bytes : longer lines are left out.
    """

    normalization: tuple[NativeStep, ...] = ()
    normalize: Callable[[str], str] | None = None
    reserved: tuple[str, ...] = ()
    add_dummy_prefix: bool = True
    remove_extra_whitespaces: bool = True
    treat_whitespace_as_suffix: bool = False
    max_sentence_bytes: int = 4192

    def __post_init__(self) -> None:
        if self.max_sentence_bytes < 1:
            raise ConfigError(f"max_sentence_bytes cannot be {self.max_sentence_bytes}", allowed="1 or more")
        if self.normalization and self.normalize is not None:
            raise ConfigError("a sentence reader has either native steps or a function that normalizes")

    def sentences(self) -> Sentences:
        """None yet, to be filled."""
        return Sentences(
            normalization=self.normalization,
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

    def normalized(self, lines: Iterable[str]) -> list[str]:
        """The lines that are trained on, as the function that normalizes leaves them."""
        normalize = self.normalize or str
        return [normalize(line) for line in lines if self.takes(line)]


@dataclass(frozen=True, kw_only=True)
class SentenceCutter:
    """The words of sentences, for :func:`~textpipe.trainers.count_files`.

    Parameters
    ----------
    reader : how lines become sentences.
    split_by_whitespace : a word is what stands between spaces; otherwise a whole sentence.
    allow_whitespace_only_pieces : spaces that follow each other stay together.

    Examples
    --------
    >>> from textpipe.trainers import count_texts
    >>> count_texts(["밥을 먹고\\n밥을  짓고"], SentenceCutter(reader=SentenceReader())).items() == [
    ...     ("▁밥을".encode(), 2), ("▁먹고".encode(), 1), ("▁짓고".encode(), 1)]
    True
    """

    reader: SentenceReader
    split_by_whitespace: bool = True
    allow_whitespace_only_pieces: bool = False
    settings: str | None = None
    byte_level: bool = False
    cuts_at_spaces: bool = False

    @property
    def is_python(self) -> bool:
        """Whether Python code is run on the text."""
        return self.reader.normalize is not None

    def counter(self, counts: WordCounts) -> SentenceCounter:
        """A counter for one thread."""
        return SentenceCounter(
            counts,
            normalization=self.reader.normalization,
            max_bytes=self.reader.max_sentence_bytes,
            reserved=self.reader.reserved,
            add_dummy_prefix=self.reader.add_dummy_prefix,
            remove_extra_whitespaces=self.reader.remove_extra_whitespaces,
            treat_whitespace_as_suffix=self.reader.treat_whitespace_as_suffix,
            split_by_whitespace=self.split_by_whitespace,
            allow_whitespace_only_pieces=self.allow_whitespace_only_pieces,
        )

    def count(self, counter: SentenceCounter, chunk: Chunk) -> None:
        """Count a chunk: bytes are whole lines, a list holds texts of lines."""
        if self.is_python:
            for text in [chunk.decode()] if isinstance(chunk, bytes) else chunk:
                counter.add_sentences(self.reader.normalized(text.split("\n")))
        elif isinstance(chunk, bytes):
            counter.add_lines(chunk)
        else:
            counter.add_texts(chunk)


def read_sentences(
    lines: Iterable[str],
    reader: SentenceReader | None = None,
    *,
    progress: Progress | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Sentences:
    """Sentences of strings, each one line; line ends are dropped.

    Raises
    ------
    InputError
        when something is not a string.
    LimitError
        as soon as there is more text than unigrams are sought in.

    Examples
    --------
    >>> read_sentences(["밥을  먹고", "", "학교에"]).rows() == [
    ...     ("▁밥을▁먹고".encode(), 1), ("▁학교에".encode(), 1)]
    True
    """
    reader = reader or SentenceReader()
    sentences = reader.sentences()
    done = 0
    rest = (_checked(line).rstrip("\r\n") for line in lines)
    while batch := list(itertools.islice(rest, _BATCH)):
        sentences.extend(reader.normalized(batch))
        _require_room(sentences, limits)
        done += sum(map(len, batch)) + len(batch)
        if progress is not None:
            progress("read sentences", done, None, unit="characters")
    sentences.drop_empty()
    return sentences


def read_sentence_files(
    inputs: Inputs,
    reader: SentenceReader | None = None,
    *,
    text_column: str = TEXT_COLUMN,
    progress: Progress | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Sentences:
    """Sentences of the lines of text files, and of the lines of the documents of JSONL and Parquet files.

    Raises
    ------
    InputError
        when a file is absent, unreadable, or not UTF-8.
    LimitError
        as soon as there is more text than unigrams are sought in.
    """
    reader = reader or SentenceReader()
    files = LineReader(chunk_bytes=_CHUNK_BYTES, is_utf8=is_utf8, text_column=text_column)
    sentences = reader.sentences()
    done = 0
    for path in expand(inputs):
        if is_jsonl(path) or is_parquet(path):
            chunks: Iterable[bytes] = (text.encode() for text in iter_texts(path, reader=files))
        else:
            chunks = files.read(path)
        for chunk in chunks:
            if reader.normalize is None:
                sentences.add_lines(chunk, reader.max_sentence_bytes)
            else:
                # Only a newline ends a line; the last one of a chunk has its own.
                sentences.extend(reader.normalized(chunk.decode().split("\n")))
            _require_room(sentences, limits)
            done += len(chunk)
            if progress is not None:
                progress("read sentences", done, None, unit="bytes")
    sentences.drop_empty()
    return sentences


def _require_room(sentences: Sentences, limits: Limits) -> None:
    if sentences.num_bytes > limits.sentence_bytes:
        raise LimitError(
            "the sentences are more than unigram pieces are sought in",
            allowed=f"{limits.sentence_bytes:,} bytes",
            hint="train on a sample of the lines; byte pairs are learned from words and have no such limit",
        )


def _checked(line: object) -> str:
    if not isinstance(line, str):
        raise WrongTypeError(f"cannot train from {type(line).__name__}", allowed="strings")
    return line
