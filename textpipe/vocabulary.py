"""Texts → a folder with a trained tokenizer: what ``textpipe train-vocab`` does.

What enters: text files, JSONL documents, folders of them or saved word counts, and a :class:`VocabConfig`. What leaves:
a folder with ``tokenizer.json``, a card ``README.md`` that says what it was made from and how well it fits, and a
manifest; or such a folder for each of several sizes. Promises: a folder appears whole or not at all; the same inputs
and settings give the same tokenizer.json, whatever the threads and the other sizes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from textpipe.config import Config, Field
from textpipe.errors import ConfigError, InputError, StateError
from textpipe.evaluation.vocabulary import VocabularyMetrics, vocabulary_metrics
from textpipe.files import MANIFEST, publish_directory, read_manifest, sha256_file, write_text
from textpipe.models import BPE
from textpipe.records import Document
from textpipe.sources import Inputs, expand, iter_documents
from textpipe.tokenizer import Tokenizer
from textpipe.trainers import BpeTrainer, TrainedBpe, count_files, require_room, save_counts, train_bpe_ladder
from textpipe.trainers.counting import Progress
from textpipe.trainers.counts_file import is_counts_file

__all__ = ["PRESETS", "VocabConfig", "Vocabulary", "make_tokenizer", "train_vocabularies", "train_vocabulary"]

KIND = "train-vocab"
END_OF_TEXT = "<|endoftext|>"
_SAMPLE_BYTES = 4 << 20  # text the figures of the card are measured on
_BLOCK_CHARS = 4096
_SHOWN_MERGES = 12

PRESETS: dict[str, dict[str, Any]] = {
    "default": {"normalizer": "nfc", "pre_tokenizer": "byte-level"},
    "gpt2": {"normalizer": "none", "pre_tokenizer": "byte-level"},
}


class VocabConfig(Config):
    """What vocabulary to train."""

    vocab_size: int = Field(32_000, ge=1, description="entries, special tokens and alphabet included")
    min_frequency: int = Field(0, ge=0, description="a pair that occurs less often is not merged")
    special_tokens: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        (END_OF_TEXT,), description="first entries of the vocabulary"
    )
    normalizer: Literal["none", "nfc", "nfd", "nfkc", "nfkd"] = Field("nfc", description="Unicode form of the text")
    pre_tokenizer: Literal["byte-level", "whitespace", "whitespace-split"] = Field(
        "byte-level", description="how text is cut into words; byte-level knows no unknown text"
    )

    @property
    def byte_level(self) -> bool:
        """Whether the alphabet is bytes."""
        return self.pre_tokenizer == "byte-level"


@dataclass(frozen=True)
class Vocabulary:
    """A finished folder."""

    path: Path
    counts: dict[str, Any]

    @property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer in it."""
        return Tokenizer.from_file(self.path / "tokenizer.json")


def make_tokenizer(config: VocabConfig) -> tuple[Tokenizer, BpeTrainer]:
    """An untrained tokenizer with the stages of ``config``, and the trainer for it."""
    from textpipe import decoders, normalizers, pre_tokenizers, processors

    special = list(dict.fromkeys(config.special_tokens))
    tokenizer = Tokenizer(BPE())
    if config.normalizer != "none":
        tokenizer.normalizer = getattr(normalizers, config.normalizer.upper())()
    if config.byte_level:
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
        tokenizer.decoder = decoders.ByteLevel()
        alphabet = tuple(pre_tokenizers.ByteLevel.alphabet())
    else:
        split = config.pre_tokenizer == "whitespace-split"
        tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit() if split else pre_tokenizers.Whitespace()
        tokenizer.model = BPE(unk_token="<unk>")
        special = list(dict.fromkeys(["<unk>", *special]))
        alphabet = ()
    trainer = BpeTrainer(
        vocab_size=config.vocab_size,
        min_frequency=config.min_frequency,
        special_tokens=tuple(special),
        initial_alphabet=alphabet,
        show_progress=False,
    )
    _refuse_too_small(trainer)
    return tokenizer, trainer


def _refuse_too_small(trainer: BpeTrainer) -> None:
    """Say before any text is read what can be said before."""
    least = len({*trainer.special_tokens, *trainer.initial_alphabet})
    if trainer.vocab_size < least:
        raise InputError(
            f"vocab_size {trainer.vocab_size} is smaller than the alphabet with the special tokens",
            allowed=f"{least} or more",
            hint="a byte-level vocabulary begins with 256 bytes",
        )


def finished(out: str | os.PathLike[str], config: VocabConfig, sources: list[dict[str, Any]]) -> Vocabulary | None:
    """The folder ``out`` if the same settings and the same files made it; None when there is none.

    Raises
    ------
    StateError
        when ``out`` holds something else.
    """
    folder = Path(out)
    if not folder.exists() or not any(folder.iterdir()):
        return None
    hint = "name another folder with --out, or remove this one"
    if not (folder / MANIFEST).exists():
        raise StateError("this folder holds something else", where=folder, hint=hint)
    manifest = read_manifest(folder, kind=KIND)
    if manifest["config"] != {**config.model_dump(mode="json"), "sources": sources}:
        raise StateError("this folder was made with other settings or other texts", where=folder, hint=hint)
    return Vocabulary(folder, manifest["counts"])


def describe_sources(inputs: Inputs) -> list[dict[str, Any]]:
    """Name, size and sha256 of every input file."""
    return [{"name": path.name, "bytes": path.stat().st_size, "sha256": sha256_file(path)} for path in expand(inputs)]


def train_vocabulary(
    inputs: Inputs,
    out: str | os.PathLike[str],
    config: VocabConfig | None = None,
    *,
    threads: int | None = None,
    progress: Progress | None = None,
    counts_file: str | os.PathLike[str] | None = None,
) -> Vocabulary:
    """Train a tokenizer and write its folder; a folder that the same call made is given back as it is.

    Parameters
    ----------
    inputs : texts, and files of word counts that the same stages made.
    counts_file : where to write the word counts of all inputs, for another training or another machine to add.

    Raises
    ------
    InputError
        when an input cannot be read, holds no text, or its alphabet does not fit ``vocab_size``.
    StateError
        when ``out`` holds something else, or other stages made the words of counts.
    """
    config = config or VocabConfig()
    return _train(inputs, {Path(out): config}, threads, progress, counts_file)[0]


def train_vocabularies(
    inputs: Inputs,
    out: str | os.PathLike[str],
    vocab_sizes: Iterable[int],
    config: VocabConfig | None = None,
    *,
    threads: int | None = None,
    progress: Progress | None = None,
    counts_file: str | os.PathLike[str] | None = None,
) -> list[Vocabulary]:
    """Train tokenizers of several sizes in one run; the smallest first, each in a folder of ``out`` named by its size.

    Every folder is, byte for byte, what :func:`train_vocabulary` makes at that size. Arguments and errors are the same
    too; the ``vocab_size`` of ``config`` does not count.
    """
    config = config or VocabConfig()
    if (Path(out) / MANIFEST).exists():
        raise StateError("this folder holds one output, not several", where=out, hint="name another folder with --out")
    folders = {Path(out) / str(size): config.replaced(vocab_size=size) for size in sorted(set(vocab_sizes))}
    if not folders:
        raise ConfigError("no vocabulary size is given", allowed="one or more")
    return _train(inputs, folders, threads, progress, counts_file)


def _train(
    inputs: Inputs,
    folders: dict[Path, VocabConfig],
    threads: int | None,
    progress: Progress | None,
    counts_file: str | os.PathLike[str] | None,
) -> list[Vocabulary]:
    """Folders whose configurations differ in size alone, the smallest first."""
    made = {folder: make_tokenizer(config) for folder, config in folders.items()}  # refuses what needs no reading
    paths = expand(inputs)
    _refuse_counts_file(counts_file, paths, folders)
    sources = describe_sources(paths)
    found = {folder: finished(folder, config, sources) for folder, config in folders.items()}
    missing = [folder for folder, done in found.items() if done is None]
    if missing or counts_file is not None:
        tokenizer, smallest = next(iter(made.values()))
        cutter = tokenizer.pipeline.word_cutter()
        counts = count_files(paths, cutter, threads=threads, progress=progress)
        require_room(counts, smallest)
        if counts_file is not None:
            save_counts(counts_file, counts, cutter.settings or "")
    if missing:
        figures = {"words": counts.num_occurrences, "distinct_words": len(counts)}
        sizes = [folders[folder].vocab_size for folder in missing]
        ladder = train_bpe_ladder(counts, smallest, sizes, progress=progress, release=True)
        for folder, trained in zip(missing, ladder, strict=True):
            tokenizer = _fitted(made[folder][0], trained)
            found[folder] = _publish(
                folder, tokenizer, trained, config=folders[folder], sources=sources, figures=figures, inputs=paths
            )
    return [vocabulary for vocabulary in found.values() if vocabulary is not None]


def _refuse_counts_file(
    counts_file: str | os.PathLike[str] | None, inputs: list[Path], folders: Iterable[Path]
) -> None:
    """Counts may not be written over an input, nor into a folder that must appear whole."""
    if counts_file is None:
        return
    target = Path(counts_file).resolve()
    if target in {path.resolve() for path in inputs}:
        raise ConfigError("the counts would be written over an input", where=counts_file, hint="name another file")
    if any(folder.resolve() in target.parents for folder in folders):
        raise ConfigError("the counts would lie in the folder to make", where=counts_file, hint="name a file elsewhere")


def _fitted(tokenizer: Tokenizer, trained: TrainedBpe) -> Tokenizer:
    """The tokenizer with what was learned."""
    old = tokenizer.model.to_dict()
    tokenizer.model = BPE(trained.vocab, trained.merges, unk_token=old["unk_token"])
    tokenizer.add_special_tokens(trained.special_tokens)
    return tokenizer


def _publish(
    folder: Path,
    tokenizer: Tokenizer,
    trained: TrainedBpe,
    *,
    config: VocabConfig,
    sources: list[dict[str, Any]],
    figures: dict[str, Any],
    inputs: list[Path],
) -> Vocabulary:
    metrics = vocabulary_metrics(tokenizer, _sample(inputs))
    merges = trained.merges
    counts = {
        **figures,
        "vocab_size": metrics.vocab_size,
        "merges": len(merges),
        "languages": {fit.lang: {**asdict(fit), "bytes_per_token": fit.bytes_per_token} for fit in metrics.languages},
        "scripts": metrics.scripts,
        "first_merges": _shown(tokenizer, merges[:_SHOWN_MERGES]),
        "last_merges": _shown(tokenizer, merges[-_SHOWN_MERGES:]),
    }
    recorded = {**config.model_dump(mode="json"), "sources": sources}
    if folder.exists():
        folder.rmdir()  # finished() has seen that it is empty
    with publish_directory(folder, kind=KIND, counts=counts, config=recorded) as staging:
        tokenizer.save(staging / "tokenizer.json")
        write_text(staging / "README.md", _card(tokenizer, config, sources, counts, metrics))
    return Vocabulary(folder, counts)


def _sample(inputs: list[Path]) -> Iterator[Document]:
    """The first text of every file, some megabytes in all, in documents that have a language; counts have none."""
    paths = [path for path in inputs if not is_counts_file(path)]
    budget = max(_SAMPLE_BYTES // max(len(paths), 1), 1 << 14)
    for path in paths:
        seen = 0
        lines: list[str] = []
        for document in iter_documents(path):
            size = len(document.text.encode())
            seen += size
            if document.lang != "und":
                yield document
            else:
                lines.append(document.text)
            # A line of plain text is too little to tell its language by.
            if sum(map(len, lines)) > _BLOCK_CHARS:
                yield _block(lines)
                lines = []
            if seen >= budget:
                break
        if lines:
            yield _block(lines)


def _block(lines: list[str]) -> Document:
    from textpipe.clean.language import identify

    text = "\n".join(lines)
    return Document(id="", text=text, lang=identify(text)[0])


def _shown(tokenizer: Tokenizer, merges: list[tuple[str, str]]) -> list[str]:
    """The pieces that merges make, as text; parts of characters as their bytes."""
    shown = []
    for left, right in merges:
        number = tokenizer.token_to_id(left + right)
        raw = b"" if number is None else tokenizer.id_to_bytes(number)
        shown.append(raw.decode("utf-8", "backslashreplace"))
    return shown


def _card(
    tokenizer: Tokenizer,
    config: VocabConfig,
    sources: list[dict[str, Any]],
    counts: dict[str, Any],
    metrics: VocabularyMetrics,
) -> str:
    special = ", ".join(f"`{token}`" for token in config.special_tokens)
    settings = "\n".join(f"| {name} | {value} |" for name, value in config.model_dump(mode="json").items())
    fits = "\n".join(
        f"| {fit.lang} | {fit.num_bytes:,} | {fit.bytes_per_token:.2f} | {fit.tokens_per_word:.2f} |"
        for fit in metrics.languages
    )
    scripts = "\n".join(f"| {name} | {count:,} |" for name, count in metrics.scripts.items())
    files = "\n".join(f"| {row['name']} | {row['bytes']:,} | `{row['sha256']}` |" for row in sources)
    return f"""# A vocabulary of {metrics.vocab_size:,} entries

Byte-pair encoding: {counts["merges"]:,} merges learned from {counts["words"]:,} words ({counts["distinct_words"]:,}
distinct). Special tokens: {special or "none"}. sha256 of the tokenizer: `{tokenizer.sha256}`.

```python
from textpipe import Tokenizer
tokenizer = Tokenizer.from_file("tokenizer.json")
```

The file also loads in `tokenizers` and `transformers`.

## Fit, on the first text of each file

| language | bytes | bytes per token | tokens per word |
|---|---|---|---|
{fits or "| (no text among the inputs) | | | |"}

## Pieces by script

| script | pieces |
|---|---|
{scripts}

## Merges

First: {_listed(counts["first_merges"])}

Last: {_listed(counts["last_merges"])}

## Settings

| setting | value |
|---|---|
{settings}

## Data

| file | bytes | sha256 |
|---|---|---|
{files}
"""


def _listed(pieces: list[str]) -> str:
    return " · ".join(f"`{piece}`" for piece in (_visible(p) for p in pieces))


def _visible(piece: str) -> str:
    """A piece with its spaces and line ends to be seen."""
    return piece.replace(" ", "␣").replace("\n", "⏎").replace("\t", "⇥").replace("`", "ˋ").replace("\r", "␍")
