"""Texts → a folder with a trained tokenizer: what ``textpipe train-vocab`` does.

What enters: text files, JSONL documents, folders of them or saved word counts, and a :class:`VocabConfig`. What leaves:
a folder with ``tokenizer.json`` and the other formats asked for, a card ``README.md`` that says what it was made from
and how well it fits, and a manifest; or such a folder for each of several sizes. Promises: a folder appears whole or
not at all; the same inputs and settings give the same files, whatever the threads, the memory and the other sizes.

A run that was stopped or killed goes on when the same call is made again: word counts, and what is learned from them,
are saved beside the folder every few seconds, and removed when it is there.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from textpipe.core._word_counts import release_freed_memory
from textpipe.errors import ConfigError, InputError, StateError
from textpipe.files import MANIFEST, publish_directory
from textpipe.models import BPE
from textpipe.records import Document
from textpipe.tokenizer import Tokenizer
from textpipe.trainers import (
    BpeTrainer,
    MemoryLimit,
    VocabularyTrainer,
    WordCounts,
    WordPieceTrainer,
    count_files,
    fit,
    require_room,
    save_counts,
    train_bpe_ladder,
    train_superwords,
)
from textpipe.trainers.counting import Progress, counting_reader
from textpipe.trainers.counts_file import is_counts_file
from textpipe.trainers.footprint import WordSizes, training_bytes
from textpipe.vocabulary.card import write_outputs
from textpipe.vocabulary.config import SENTENCEPIECE_RULES, VocabConfig
from textpipe.vocabulary.corpora import UNITS, Weights, weigh
from textpipe.vocabulary.finished import KIND, Vocabulary, finished
from textpipe.vocabulary.formats import check_formats
from textpipe.vocabulary.inputs import Inputs, SourceFiles, Work
from textpipe.vocabulary.parity import ParityRound, find_parity
from textpipe.vocabulary.samples import sample_documents
from textpipe.vocabulary.saved_states import PARITY, SPANS, SUPERWORDS, SavedStates
from textpipe.vocabulary.sentence_piece import train_sentencepiece
from textpipe.vocabulary.stages import SentencePieceTrainer, finish, make_tokenizer, with_spans

__all__ = ["count_words", "train_vocabularies", "train_vocabulary"]

_SURE_PART = 0.85  # of the estimate of memory: below this a training is not begun


def train_vocabulary(
    inputs: Inputs,
    out: str | os.PathLike[str],
    config: VocabConfig | None = None,
    *,
    threads: int | None = None,
    memory_limit: int | str | None = None,
    progress: Progress | None = None,
    counts_file: str | os.PathLike[str] | None = None,
    formats: Iterable[str] = (),
    scratch_folder: str | os.PathLike[str] | None = None,
) -> Vocabulary:
    """Train a tokenizer and write its folder; a folder that the same call made is given back as it is.

    Parameters
    ----------
    inputs : texts, and files of word counts that the same stages made; ``name=path`` names a corpus for the weights.
    memory_limit : the most this process may hold, such as ``"200MB"``; what does not fit waits on the disk.
    counts_file : where to write the word counts of all inputs, for another training or another machine to add.
    formats : written beside tokenizer.json, by the names of :data:`textpipe.formats.FORMATS`.
    scratch_folder : where words wait that do not fit in memory; beside ``out`` when absent.

    Raises
    ------
    InputError
        when an input cannot be read, holds no text, or its alphabet does not fit ``vocab_size``.
    LimitError
        when the memory limit cannot be kept.
    StateError
        when ``out`` holds something else, or other stages made the words of counts.
    """
    config = config or VocabConfig()
    work = Work(threads, MemoryLimit.of(memory_limit), progress, scratch_folder)
    return _Training({Path(out): config}, inputs, work, counts_file, tuple(formats)).run()[0]


def train_vocabularies(
    inputs: Inputs,
    out: str | os.PathLike[str],
    vocab_sizes: Iterable[int],
    config: VocabConfig | None = None,
    *,
    threads: int | None = None,
    memory_limit: int | str | None = None,
    progress: Progress | None = None,
    counts_file: str | os.PathLike[str] | None = None,
    formats: Iterable[str] = (),
    scratch_folder: str | os.PathLike[str] | None = None,
) -> list[Vocabulary]:
    """Train tokenizers of several sizes in one run; the smallest first, each in a folder of ``out`` named by its size.

    Every folder is, byte for byte, what :func:`train_vocabulary` makes at that size. Arguments and errors are the same
    too; the ``vocab_size`` of ``config`` does not count.
    """
    config = config or VocabConfig()
    if (Path(out) / MANIFEST).exists():
        raise StateError("this folder holds one output, not several", where=out, hint="name another folder")
    folders = {Path(out) / str(size): config.replaced(vocab_size=size) for size in sorted(set(vocab_sizes))}
    if not folders:
        raise ConfigError("no vocabulary size is given", allowed="one or more")
    work = Work(threads, MemoryLimit.of(memory_limit), progress, scratch_folder)
    return _Training(folders, inputs, work, counts_file, tuple(formats)).run()


def count_words(
    inputs: Inputs,
    counts_file: str | os.PathLike[str],
    config: VocabConfig | None = None,
    *,
    threads: int | None = None,
    memory_limit: int | str | None = None,
    progress: Progress | None = None,
    scratch_folder: str | os.PathLike[str] | None = None,
) -> WordCounts:
    """Count the words of all inputs as the stages of ``config`` make them, and save the counts; nothing is trained."""
    config = config or VocabConfig()
    work = Work(threads, MemoryLimit.of(memory_limit), progress, scratch_folder)
    training = _Training({Path(counts_file): config}, inputs, work, counts_file, ())
    counts = training.count()
    training.states.forget()
    return counts


class _Training:
    """Folders whose configurations differ in size alone, the smallest first."""

    def __init__(
        self,
        folders: Mapping[Path, VocabConfig],
        inputs: Inputs,
        work: Work,
        counts_file: str | os.PathLike[str] | None,
        formats: Sequence[str],
    ) -> None:
        self.folders = folders
        self.config = next(iter(folders.values()))
        check_formats(formats, self.config)
        self.weights = Weights.parse(self.config.weights) if self.config.weights else None
        if self.weights is not None and counts_file is not None:
            raise ConfigError("counts are saved without weights", hint="leave one of both away")
        self.parity: ParityRound | None = None  # of the counts, once they are weighed
        self.sentences = self.config.compat == "sentencepiece"
        if self.sentences and (counts_file is not None or work.memory is not None):
            raise ConfigError(
                "sentencepiece learns from sentences in memory, not from word counts",
                where="counts_file" if counts_file is not None else "memory_limit",
                hint="leave it out, or choose another compat",
            )
        for config in folders.values():
            make_tokenizer(config)  # refuses what needs no reading
        self.files = SourceFiles(inputs)
        if self.weights is not None:
            self.weights.require_names(self.files.corpora)
        self.work = work
        self.reader = counting_reader(self.config.invalid_utf8, self.config.text_column)
        self.counts_file = counts_file
        self.formats = formats
        self.states = SavedStates(folders, self.config, self.files)

    def run(self) -> list[Vocabulary]:
        if self.counts_file is not None:
            self.files.refuse_target(self.counts_file, self.folders)
        sources = self.files.describe()
        recorded = {
            folder: {**config.model_dump(mode="json"), "sources": sources, "formats": list(self.formats)}
            for folder, config in self.folders.items()
        }
        found = {folder: finished(folder, recorded[folder]) for folder in self.folders}
        missing = [folder for folder, done in found.items() if done is None]
        if self.sentences:
            for folder in missing:
                found[folder] = self._publish(folder, self._learn_sentences(folder), recorded[folder], {})
        elif missing or self.counts_file is not None:
            counts = self.count()
        if missing and not self.sentences:
            spans = self._count_spans() if self.config.superwords is not None else None
            figures: dict[str, Any] = {"words": counts.num_occurrences, "distinct_words": len(counts)}
            if self.weights is not None:
                figures["words"] //= UNITS
            if self.parity is not None:
                figures["parity"] = self.parity.figures()
            if self.reader.num_replaced:
                figures["replaced"] = self.reader.num_replaced
            for folder, tokenizer in zip(missing, self._learn(counts, missing, spans), strict=True):
                found[folder] = self._publish(folder, tokenizer, recorded[folder], figures)
        self.states.forget()
        return [vocabulary for vocabulary in found.values() if vocabulary is not None]

    def _learn_sentences(self, folder: Path) -> Tokenizer:
        config = self.folders[folder]
        _, trainer = make_tokenizer(config)
        assert isinstance(trainer, SentencePieceTrainer)
        counted = next((path for path in self.files.paths if is_counts_file(path)), None)
        if counted is not None:
            raise InputError("word counts are no sentences", where=counted, hint="give texts, or another compat")
        return train_sentencepiece(
            self.files.paths,
            trainer,
            normalization=SENTENCEPIECE_RULES[config.normalizer],
            text_column=config.text_column,
            threads=self.work.threads,
            progress=self.work.progress,
            state=self.states.learning(folder, [config.vocab_size]),
        )

    def count(self) -> WordCounts:
        """All words, weighted where that is asked for, and saved where that is."""
        tokenizer, trainer = make_tokenizer(self.config)
        cutter = tokenizer.pipeline.word_cutter()
        by_corpus = self.files.count(
            cutter, self.work, scratch_folder=self._scratch, reader=self.reader, states=self.states.counting
        )
        if self.weights is None:
            counts, *others = by_corpus.values()
            for other in others:
                counts.merge(other)
                other.clear()
            counts.pack()
        else:
            shares = self._shares(self.weights, by_corpus)
            counts = weigh(list(by_corpus.values()), [shares[name] for name in by_corpus], keep=False)
        _require_words(counts, trainer)
        if self.counts_file is not None:
            save_counts(self.counts_file, counts, cutter.settings or "")
        return counts

    @property
    def _scratch(self) -> Path:
        return Path(self.work.scratch_folder or next(iter(self.folders)).parent)

    def _shares(self, weights: Weights, counts: Mapping[str, WordCounts]) -> Mapping[str, Any]:
        shares = weights.of({name: each.num_text_bytes for name, each in counts.items()})
        if weights.kind != "parity":
            return shares
        self.parity = self._find_parity(counts)
        return self.parity.shares

    def _find_parity(self, counts: Mapping[str, WordCounts]) -> ParityRound:
        texts = {
            name: [document.text for document in self._sample(paths)] for name, paths in self.files.corpora.items()
        }
        largest = list(self.folders)[-1]

        def train(weighed: WordCounts, number: int) -> Tokenizer:
            stage = f"parity{number}"
            tokenizer = next(self._learn(weighed, [largest], stage=stage))
            self.states.learned(largest, stage)
            return tokenizer

        state = self.states.learning(largest, [self.folders[largest].vocab_size], PARITY)
        return find_parity(counts, texts, train, progress=self.work.progress, state=state)

    def _sample(self, paths: Iterable[Path]) -> Iterator[Document]:
        return sample_documents(paths, self.config.invalid_utf8, text_column=self.config.text_column)

    def _count_spans(self) -> WordCounts:
        """The same text cut less finely; in memory, and from the texts."""
        tokenizer, _ = make_tokenizer(self.config)
        counted = next((path for path in self.files.paths if is_counts_file(path)), None)
        if counted is not None:
            raise InputError("word counts do not tell what follows a word", where=counted, hint="superwords need texts")
        return count_files(
            self.files.paths,
            with_spans(tokenizer).pipeline.word_cutter(),
            threads=self.work.threads,
            progress=self.work.progress,
            memory=self.work.memory,
            scratch_folder=self._scratch,
            reader=self.reader,
            state=self.states.counting[SPANS],
        )

    def _learn(
        self, counts: WordCounts, folders: Sequence[Path], spans: WordCounts | None = None, *, stage: str = ""
    ) -> Iterator[Tokenizer]:
        """A tokenizer for each folder; the counts may be emptied."""
        if spans is not None:
            yield from self._learn_superwords(counts, spans, folders)
            return
        made = [make_tokenizer(self.folders[folder]) for folder in folders]
        trainers = [self._weighed(trainer) for _, trainer in made]
        if self.work.memory is not None:
            need = training_bytes(trainers[-1], WordSizes.of(counts))
            self.work.memory.require(round(need * _SURE_PART) - counts.memory_bytes, "the training")
        if isinstance(trainers[0], BpeTrainer):
            sizes = [trainer.vocab_size for trainer in trainers]
            state = self.states.learning(folders[-1], sizes, stage)
            rungs = train_bpe_ladder(
                counts,
                trainers[0],
                sizes,
                release=True,
                threads=self.work.threads,
                progress=self.work.guarded,
                state=state,
            )
            for folder, (tokenizer, _), rung in zip(folders, made, rungs, strict=True):
                assert isinstance(tokenizer.model, BPE)
                learned = tokenizer.model.learned(rung.vocab, rung.merges, None, None)
                yield finish(tokenizer, learned, self.folders[folder], rung.special_tokens)
            return
        for folder, (tokenizer, _), trainer in zip(folders, made, trainers, strict=True):
            state = self.states.learning(folder, [trainer.vocab_size], stage)
            model = fit(
                tokenizer.model,
                counts,
                trainer,
                threads=self.work.threads,
                progress=self.work.guarded,
                state=state,
            )
            yield finish(tokenizer, model, self.folders[folder], list(trainer.special_tokens))

    def _learn_superwords(self, words: WordCounts, spans: WordCounts, folders: Sequence[Path]) -> Iterator[Tokenizer]:
        for folder in folders:
            config = self.folders[folder]
            tokenizer, trainer = make_tokenizer(config)
            assert isinstance(trainer, BpeTrainer)
            assert isinstance(tokenizer.model, BPE)
            assert config.superwords is not None
            first, second = (self.states.learning(folder, [config.vocab_size], stage) for stage in SUPERWORDS)
            learned = train_superwords(
                words,
                spans,
                trainer,
                words_until=config.superwords,
                progress=self.work.guarded,
                states=(first, second),
            )
            model = tokenizer.model.learned(learned.vocab, learned.merges, None, None)
            yield finish(with_spans(tokenizer), model, config, learned.special_tokens)

    def _weighed(self, trainer: VocabularyTrainer) -> VocabularyTrainer:
        """The trainer for counts in the units they are in."""
        return trainer if self.weights is None else replace(trainer, min_frequency=trainer.min_frequency * UNITS)

    def _publish(
        self, folder: Path, tokenizer: Tokenizer, recorded: dict[str, Any], figures: Mapping[str, Any]
    ) -> Vocabulary:
        counts: dict[str, Any] = dict(figures)
        release_freed_memory()  # what the training held is not to stand beside what measuring holds
        if folder.exists():
            folder.rmdir()  # finished() has seen that it is empty
        with publish_directory(folder, kind=KIND, counts=counts, config=recorded) as staging:
            # publish_directory writes the manifest, counts and all, when this block ends
            counts |= write_outputs(
                staging,
                tokenizer,
                config=self.folders[folder],
                recorded=recorded,
                figures=figures,
                sample=self._sample(self.files.paths),
            )
            if self.work.memory is not None:
                self.work.memory.check("measuring the vocabulary")
        return Vocabulary(folder, counts)


def _require_words(counts: WordCounts, trainer: VocabularyTrainer) -> None:
    if isinstance(trainer, WordPieceTrainer):
        require_room(counts, trainer.merging())
    elif isinstance(trainer, BpeTrainer):
        require_room(counts, trainer)
    elif len(counts) == 0:
        raise InputError("there is no text to learn from", hint="name inputs that hold text")
