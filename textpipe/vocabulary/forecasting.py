"""What a training will take, from a sample of its inputs.

What enters: inputs and settings. What leaves: how many distinct words are to be expected and what memory they take.
Promises: reads a few megabytes, writes nothing. Distinct words grow with the text by a power of its size (Heaps' law);
the power is measured on the two halves of the sample, so the forecast is rough where the corpus is mixed.

Notes
-----
Heaps: Information Retrieval, Computational and Theoretical Aspects, 1978, section 7.5.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from textpipe.sources import LineReader, is_jsonl, is_parquet
from textpipe.trainers import MemoryLimit, WordCounts, WordCutter, count_texts, load_counts
from textpipe.trainers.counts_file import is_counts_file
from textpipe.trainers.footprint import WordSizes, training_bytes
from textpipe.trainers.memory import megabytes, resident_bytes
from textpipe.vocabulary.config import VocabConfig
from textpipe.vocabulary.inputs import Inputs, SourceFiles
from textpipe.vocabulary.samples import first_documents
from textpipe.vocabulary.stages import make_tokenizer

__all__ = ["Forecast", "forecast"]

_SAMPLE_BYTES = 8 << 20
_CHUNK_BYTES = 1 << 16
_PACKED_RATIO = 4  # inflated bytes to packed ones, of text
_COUNTING_BYTES = 30 << 20  # text on its way and front tables


@dataclass(frozen=True)
class Forecast:
    """What is to be expected; ``verdict`` says whether a limit will do, empty where there is none."""

    num_files: int
    disk_bytes: int
    sample_bytes: int
    num_words: int
    memory_bytes: int
    verdict: str


def forecast(inputs: Inputs, config: VocabConfig, memory_limit: int | str | None = None) -> Forecast:
    """What a training of ``inputs`` will take.

    Raises
    ------
    InputError
        when an input is absent or cannot be read.
    """
    paths = SourceFiles(inputs).paths
    tokenizer, trainer = make_tokenizer(config)
    texts = [path for path in paths if not is_counts_file(path)]
    reader = LineReader(chunk_bytes=_CHUNK_BYTES, invalid_utf8=config.invalid_utf8, text_column=config.text_column)
    growth = _Growth(tokenizer.pipeline.word_cutter(), reader)
    for path in texts:
        growth.read(path, max(_SAMPLE_BYTES // len(texts), 1 << 16))
    whole = sum(_text_bytes(path) for path in texts)
    sizes = growth.at(whole)
    for path in paths:
        if is_counts_file(path):  # at the most: their words may be the same
            more = WordSizes.of(load_counts(path).counts)
            sizes = WordSizes(*(old + new for old, new in zip(sizes, more, strict=True)))
    need = resident_bytes() + _COUNTING_BYTES + training_bytes(trainer, sizes)
    limit = MemoryLimit.of(memory_limit)
    verdict = ""
    if limit is not None:
        fits = need <= limit.num_bytes
        verdict = f": {'below' if fits else 'above'} the limit of {megabytes(limit.num_bytes)}"
    disk = sum(path.stat().st_size for path in paths)
    return Forecast(len(paths), disk, growth.num_bytes, sizes.num_words, need, verdict)


class _Growth:
    """Distinct words after half of a sample, and after all of it."""

    def __init__(self, cutter: WordCutter, reader: LineReader) -> None:
        self.num_bytes = 0
        self._reader = reader
        self._cutter = cutter
        self._half: WordCounts = WordCounts(byte_level=cutter.byte_level)
        self._rest: WordCounts = WordCounts(byte_level=cutter.byte_level)

    def read(self, path: Path, budget: int) -> None:
        texts: list[str] = []
        size = 0
        for document in first_documents(path, self._reader):
            texts.append(document.text)
            size += len(document.text.encode()) + 1
            if size >= budget:
                break
        self._half.merge(count_texts(texts[::2], self._cutter))
        self._rest.merge(count_texts(texts[1::2], self._cutter))
        self.num_bytes += size

    def at(self, num_bytes: int) -> WordSizes:
        """The distinct words of a text so long."""
        half = max(len(self._half), 1)
        self._half.merge(self._rest)
        words = max(len(self._half), 1)
        growth = 1.0
        if num_bytes > self.num_bytes:
            growth = (num_bytes / max(self.num_bytes, 1)) ** min(max(math.log2(words / half), 0.0), 1.0)
        return WordSizes(*(round(max(size, 1) * growth) for size in WordSizes.of(self._half)))


def _text_bytes(path: Path) -> int:
    packed = path.suffix.lower() in (".gz", ".zst") or is_parquet(path)
    size = path.stat().st_size * (_PACKED_RATIO if packed else 1)
    return size if not is_jsonl(path) else round(size * 0.9)
