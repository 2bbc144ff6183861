"""From text to word counts, over threads.

What enters: files, or an iterator of strings, and a cutter (:mod:`textpipe.trainers.word_cutter`) that says what a word
is. What leaves: a ``WordCounts`` with every distinct word once. Promises: the same counts for any number of threads,
any chunk size and any limit on memory, and where a counting that was killed is taken up again; the texts are not kept;
Ctrl-C is answered within half a second.

A text file is counted line by line, each line with its end, as `tokenizers` trains from files; a line of many
megabytes is cut on the way where no word is cut with it. A JSONL file is counted document by document, a Parquet file
row by row, and so is an iterator or an Arrow table. A file of counts (:mod:`textpipe.trainers.counts_file`) is added as
it is.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from textpipe.core._text import is_utf8
from textpipe.core._word_counts import WordCounts
from textpipe.errors import ConfigError, LimitError, WrongTypeError
from textpipe.limits import DEFAULT_LIMITS
from textpipe.sources import (
    TEXT_COLUMN,
    Inputs,
    InvalidUtf8,
    LineReader,
    cut_at_space,
    expand,
    is_arrow,
    is_jsonl,
    is_parquet,
    iter_arrow_texts,
    iter_texts,
)
from textpipe.trainers.counting_state import CountingState
from textpipe.trainers.counting_threads import CountingThreads
from textpipe.trainers.counts_file import add_saved_counts, is_counts_file
from textpipe.trainers.memory import MemoryLimit
from textpipe.trainers.spilling import SpillingCounts
from textpipe.trainers.word_cutter import Chunk, Cutter

__all__ = [
    "Progress",
    "WordCounts",
    "count_files",
    "count_texts",
    "counting_reader",
    "default_threads",
    "require_countable",
]

Progress = Callable[..., object]
"""Called as ``progress(phase, done, total, unit=…, **facts)``, as often as the work likes."""

_CHUNK_BYTES = 1 << 20
_CHUNK_CHARS = 1 << 19
_MOST_COUNTED = (1 << 63) - 1


def count_files(
    inputs: Inputs,
    cutter: Cutter,
    *,
    threads: int | None = None,
    progress: Progress | None = None,
    memory: MemoryLimit | None = None,
    scratch_folder: str | os.PathLike[str] | None = None,
    reader: LineReader | None = None,
    state: CountingState | None = None,
) -> WordCounts:
    """Count the words of files.

    Parameters
    ----------
    inputs : files or folders, as in :mod:`textpipe.sources`, and files of counts.
    threads : how many count at once; by default as many as there are processors.
    memory : what this process may hold; what does not fit waits in a nameless file in ``scratch_folder``.
    reader : what becomes of bytes that are not UTF-8; by default they are refused.
    state : saved from time to time; where it was saved before, counting goes on from there.

    Raises
    ------
    InputError
        when a file is absent, unreadable, or not UTF-8.
    LimitError
        when ``memory`` cannot even hold the distinct words.
    StateError
        when counts were made by other stages than the cutter's.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from textpipe.core._native import grammar_step
    >>> from textpipe.trainers import WordCutter
    >>> file = pathlib.Path(tempfile.mkdtemp(), "a.txt")
    >>> _ = file.write_text("밥 밥\\n", encoding="utf-8")
    >>> count_files(file, WordCutter(cutting=(grammar_step(0),), byte_level=True))
    WordCounts(3 words, 3 in all, byte_level=True)
    """
    counts = WordCounts(byte_level=cutter.byte_level)
    paths = expand(inputs)
    saved = [path for path in paths if is_counts_file(path)]
    reader = reader or counting_reader()
    is_new = state is None or state.resume(counts) == 0
    if state is not None and state.is_complete:
        reader.num_replaced += state.num_replaced
        return counts
    for number, path in enumerate(saved if is_new else (), 1):
        add_saved_counts(counts, path, cutter.settings)
        if progress is not None:
            progress("read counts", number, len(saved), unit="files")
    paths = [path for path in paths if path not in saved]
    if saved and not paths:
        return counts
    packed = any(path.suffix.lower() in (".gz", ".zst") or is_jsonl(path) or is_parquet(path) for path in paths)
    total = None if packed else sum(path.stat().st_size for path in paths)
    chunks = _file_chunks(paths, cutter, reader)
    num_replaced = reader.num_replaced
    _count(counts, chunks, cutter, threads, progress, total=total, memory=memory, folder=scratch_folder, state=state)
    if state is not None:
        state.complete(counts, reader.num_replaced - num_replaced, memory)
    return counts


def count_texts(
    texts: Iterable[str] | Iterable[list[str]] | Any,
    cutter: Cutter,
    *,
    threads: int | None = None,
    progress: Progress | None = None,
    memory: MemoryLimit | None = None,
    scratch_folder: str | os.PathLike[str] | None = None,
) -> WordCounts:
    """Count the words of strings, or of lists of strings, each string by itself; or of an Arrow array, or of the column
    ``text`` of an Arrow table (of pyarrow, polars, pandas, …), row by row.

    Examples
    --------
    >>> from textpipe.core._native import grammar_step
    >>> from textpipe.trainers import WordCutter
    >>> count_texts(["밥 밥", "밥"], WordCutter(cutting=(grammar_step(0),), byte_level=True)).items()
    [(b'\\xeb\\xb0\\xa5', 2), (b' \\xeb\\xb0\\xa5', 1)]
    """
    counts = WordCounts(byte_level=cutter.byte_level)
    texts = iter_arrow_texts(texts) if is_arrow(texts) else texts
    return _count(counts, _text_chunks(texts), cutter, threads, progress, memory=memory, folder=scratch_folder)


def default_threads() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def checked_threads(threads: int | None) -> int:
    """How many threads work: as many as asked for, or as there are processors.

    Raises
    ------
    ConfigError
        when that many cannot.
    """
    threads = default_threads() if threads is None else threads
    if not 1 <= threads <= DEFAULT_LIMITS.threads:
        raise ConfigError(f"{threads} threads cannot work", allowed=f"1 to {DEFAULT_LIMITS.threads}")
    return threads


def require_countable(*counts: WordCounts) -> None:
    """Refuse counts of words by which the parts of words, each as often as it came, cannot be counted in 64 bits.

    Raises
    ------
    LimitError
        when the bytes of all words together, each as often as it came, pass 2**63 - 1.
    """
    if sum(each.num_text_bytes for each in counts) > _MOST_COUNTED:
        raise LimitError(
            "the counts of the parts of words could pass 2^63 - 1",
            allowed="words whose bytes, each as often as it came, do not",
            hint="count fewer texts at once, or divide all counts by the same number",
        )


def counting_reader(invalid_utf8: InvalidUtf8 = "refuse", text_column: str = TEXT_COLUMN) -> LineReader:
    """What reads files for :func:`count_files`; afterwards it knows how much it replaced."""
    return LineReader(chunk_bytes=_CHUNK_BYTES, is_utf8=is_utf8, invalid_utf8=invalid_utf8, text_column=text_column)


def _file_chunks(paths: list[Path], cutter: Cutter, reader: LineReader) -> Iterator[Chunk]:
    cut = cut_at_space if cutter.cuts_at_spaces else None
    for path in paths:
        if is_jsonl(path) or is_parquet(path):
            yield from _text_chunks(iter_texts(path, reader=reader))
        else:
            yield from reader.read(path, cut=cut)


def _text_chunks(texts: Iterable[str] | Iterable[list[str]]) -> Iterator[Chunk]:
    chunk: list[str] = []
    size = 0
    for item in texts:
        for text in item if isinstance(item, list | tuple) else [item]:
            if not isinstance(text, str):
                raise WrongTypeError(f"cannot train from {type(text).__name__}", allowed="strings, or lists of strings")
            chunk.append(text)
            size += len(text) + 16  # empty texts count too, or a chunk of them would never end
        if size >= _CHUNK_CHARS:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _size(chunk: Chunk) -> int:
    return len(chunk) if isinstance(chunk, bytes) else sum(len(text) for text in chunk)


def _count(
    counts: WordCounts,
    chunks: Iterator[Chunk],
    cutter: Cutter,
    threads: int | None,
    progress: Progress | None,
    *,
    total: int | None = None,
    memory: MemoryLimit | None = None,
    folder: str | os.PathLike[str] | None = None,
    state: CountingState | None = None,
) -> WordCounts:
    threads = checked_threads(threads)
    if cutter.is_python:
        threads = 1  # Python code runs one thread at a time
    reading = _Reading(chunks, progress, total)
    chunks = iter(reading)
    if state is not None:
        for _ in itertools.islice(chunks, state.num_chunks):
            pass  # counted before
    is_going_on = True
    while is_going_on:
        with contextlib.ExitStack() as stack:
            spilling = None
            if memory is not None:
                spilling = stack.enter_context(SpillingCounts(counts, memory, threads=threads, folder=folder))
            with CountingThreads(counts, cutter, threads) as workers:
                try:
                    for chunk in chunks if state is None else state.part(chunks):
                        workers.give(chunk)
                        if spilling is not None:
                            spilling.relieve(reading.share)
                except KeyboardInterrupt:
                    # What spills may be on its way just now; then what was saved last is what there is.
                    if state is not None and spilling is None and workers.end_soon():
                        state.at_stop(counts, workers.num_counted)
                    raise
            if spilling is not None:
                spilling.relieve()  # the threads kept the frequent words to the end
                spilling.gather()
        counts.pack()
        is_going_on = state is not None and state.after_part(counts, workers.num_counted, memory)
    return counts


class _Reading:
    """Chunks; each is told of when it has been taken care of."""

    def __init__(self, chunks: Iterator[Chunk], progress: Progress | None, total: int | None) -> None:
        self._chunks = chunks
        self._progress = progress
        self._total = total
        self._done = 0

    @property
    def share(self) -> float | None:
        """Of all text that was read; None where its size is not known."""
        return None if not self._total else min(self._done / self._total, 1.0)

    def __iter__(self) -> Iterator[Chunk]:
        for chunk in self._chunks:
            yield chunk
            self._done += _size(chunk)
            if self._progress is not None:
                unit = "characters" if self._total is None else "bytes"
                self._progress("count words", self._done, self._total, unit=unit)
