"""What a training will take, from a sample of its inputs.

What enters: inputs and settings. What leaves: how many distinct words are to be expected and what memory they take.
Promises: reads a few megabytes, writes nothing. Distinct words grow with the text by a power of its size (Heaps' law);
the power is measured on the two halves of a sample from all over the text.

Notes
-----
Heaps: Information Retrieval, Computational and Theoretical Aspects, 1978, section 7.5.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from textpipe.sources import LineReader
from textpipe.trainers import (
    MemoryLimit,
    UnigramTrainer,
    VocabularyTrainer,
    WordCounts,
    WordCutter,
    WordLevelTrainer,
    count_texts,
    load_counts,
)
from textpipe.trainers.counts_file import is_counts_file
from textpipe.trainers.footprint import WordSizes, training_bytes
from textpipe.trainers.memory import megabytes, resident_bytes
from textpipe.vocabulary.config import VocabConfig
from textpipe.vocabulary.corpora import Weights
from textpipe.vocabulary.inputs import Inputs, SourceFiles
from textpipe.vocabulary.samples import MEASURED_BYTES, spread_documents, text_bytes
from textpipe.vocabulary.stages import make_tokenizer

__all__ = ["Forecast", "forecast"]

_SAMPLE_BYTES = 8 << 20
_SLOW_SAMPLE_BYTES = 1 << 18  # where Python cuts the text
_COUNTING_BYTES = 42 << 20  # text on its way and front tables
_MEASURING_BYTES = 24_000_000  # text for the card
_BYTES_PER_MEASURED_WORD = 200  # distinct ones there, whose ids are remembered
_BYTES_PER_ENTRY = 700  # of the finished vocabulary, while its files are written
_KEPT_SHARE = 0.3  # of what the training held, which the system does not get back
_SENTENCES_BYTES = 42 << 20
# Seconds of one processor, as measured on a machine of 2020 or so.
_MERGE_SECONDS = (6.4e-8, 2.5e-5)  # a symbol of distinct words, and an entry
_ESTIMATE_SECONDS = 2e-6  # a symbol of distinct words
_SENTENCE_SECONDS = 5e-7  # a byte of text
_WRITING_SECONDS = (0.8, 2e-5)  # in any case, and an entry
_BYTES_PER_SENTENCE_BYTE = 4.1  # text in order, where sentencepiece's rules need it whole


@dataclass(frozen=True)
class Forecast:
    """What is to be expected; ``verdict`` says whether a limit will do, empty where there is none.

    ``cpu_seconds`` are those of one processor: what reads the sample is timed, the rest goes by its size.
    """

    num_files: int
    disk_bytes: int
    sample_bytes: int
    num_words: int
    memory_bytes: int
    cpu_seconds: float
    verdict: str


def forecast(inputs: Inputs, config: VocabConfig, memory_limit: int | str | None = None) -> Forecast:
    """What a training of ``inputs`` will take.

    Raises
    ------
    InputError
        when an input is absent or cannot be read.
    ConfigError
        when the weights do not go with the inputs.
    """
    files = SourceFiles(inputs)
    if config.weights:
        Weights.parse(config.weights).require_names(files.corpora)
    paths = files.paths
    tokenizer, trainer = make_tokenizer(config)
    reader = LineReader(invalid_utf8=config.invalid_utf8, text_column=config.text_column)
    cutter = tokenizer.pipeline.word_cutter()
    growth = _Growth(cutter)
    base = resident_bytes()
    texts = [path for path in paths if not is_counts_file(path)]
    sample = _SLOW_SAMPLE_BYTES if cutter.is_python else _SAMPLE_BYTES
    for documents in spread_documents(texts, reader, sample):
        growth.add([document.text for document in documents])
    whole = sum(map(text_bytes, texts))
    sizes = growth.at(max(whole, growth.num_bytes))
    measured = growth.at(min(whole, MEASURED_BYTES)).num_words
    for path in paths:
        if is_counts_file(path):  # at the most: their words may be the same
            more = WordSizes.of(load_counts(path).counts)
            sizes = WordSizes(*(old + new for old, new in zip(sizes, more, strict=True)))
    symbols = sizes.num_words + sizes.num_bytes
    learning = training_bytes(trainer, sizes)
    if config.compat == "sentencepiece" and config.model == "unigram":
        learning = round(_BYTES_PER_SENTENCE_BYTE * whole) + _SENTENCES_BYTES
    entries = min(config.vocab_size, symbols)
    measuring = _MEASURING_BYTES + _BYTES_PER_MEASURED_WORD * measured + _BYTES_PER_ENTRY * entries
    measuring += round(_KEPT_SHARE * learning)
    need = base + max(_COUNTING_BYTES, learning, measuring)
    limit = MemoryLimit.of(memory_limit)
    verdict = ""
    if limit is not None:
        fits = need <= limit.num_bytes
        verdict = f": {'below' if fits else 'above'} the limit of {megabytes(limit.num_bytes)}"
    disk = sum(path.stat().st_size for path in paths)
    seconds = growth.seconds * whole / max(growth.num_bytes, 1)
    seconds += _learning_seconds(trainer, symbols, whole)
    seconds += _WRITING_SECONDS[0] + _WRITING_SECONDS[1] * entries
    return Forecast(len(paths), disk, growth.num_bytes, sizes.num_words, need, round(seconds, 1), verdict)


def _learning_seconds(trainer: VocabularyTrainer, symbols: int, text_bytes: int) -> float:
    if isinstance(trainer, UnigramTrainer):
        return _SENTENCE_SECONDS * text_bytes if trainer.compat == "sentencepiece" else _ESTIMATE_SECONDS * symbols
    if isinstance(trainer, WordLevelTrainer):
        return 0.0
    return _MERGE_SECONDS[0] * symbols + _MERGE_SECONDS[1] * min(trainer.vocab_size, symbols)


class _Growth:
    """Distinct words after half of a sample, and after all of it."""

    def __init__(self, cutter: WordCutter) -> None:
        self.num_bytes = 0
        self.seconds = 0.0
        self._cutter = cutter
        self._half: WordCounts = WordCounts(byte_level=cutter.byte_level)
        self._rest: WordCounts = WordCounts(byte_level=cutter.byte_level)

    def add(self, texts: Sequence[str]) -> None:
        """One more part of the sample; every other text is of the first half."""
        start = time.process_time()
        self._half.merge(count_texts(texts[::2], self._cutter))
        self._rest.merge(count_texts(texts[1::2], self._cutter))
        self.seconds += time.process_time() - start
        self.num_bytes += sum(len(text.encode()) + 1 for text in texts)

    def at(self, num_bytes: int) -> WordSizes:
        """The distinct words of a text so long."""
        halves, wholes = self._sizes
        ratio = num_bytes / max(self.num_bytes, 1)
        powers = (math.log2(max(whole, 1) / max(half, 1)) for half, whole in zip(halves, wholes, strict=True))
        return WordSizes(
            *(round(whole * ratio ** min(power, 1.0)) for whole, power in zip(wholes, powers, strict=True))
        )

    @cached_property
    def _sizes(self) -> tuple[WordSizes, WordSizes]:
        """Of the first half, and of all; nothing may be added from now on."""
        half = WordSizes.of(self._half)
        self._half.merge(self._rest)
        return half, WordSizes.of(self._half)
