"""``textpipe train-vocab``: turns flags into a :class:`~textpipe.vocabulary.VocabConfig` and trains."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from textpipe.vocabulary import VocabConfig, Vocabulary


def command(
    inputs: list[Path] = typer.Argument(
        help="Texts: what clean wrote, JSONL or text files, or folders of them; also files of word counts."
    ),
    *,
    vocab_sizes: list[int] = typer.Option(
        [32_000],
        "--vocab-size",
        "-n",
        help="Entries, special tokens and alphabet included. Repeated: each size from one run, in a folder of its own.",
    ),
    out: Path = typer.Option(Path("vocab"), "--out", "-o", help="Folder to make."),
    min_frequency: int = typer.Option(0, "--min-frequency", help="A pair that occurs less often is not merged."),
    special_tokens: list[str] = typer.Option(
        ["<|endoftext|>"], "--special-token", help="First entries of the vocabulary; may be repeated."
    ),
    preset: str = typer.Option("default", "--preset", help="Stages to begin with: default (NFC, byte-level) or gpt2."),
    normalizer: str | None = typer.Option(None, "--normalizer", help="none, nfc, nfd, nfkc or nfkd."),
    pre_tokenizer: str | None = typer.Option(
        None, "--pre-tokenizer", help="byte-level (no text is unknown), whitespace or whitespace-split."
    ),
    counts_file: Path | None = typer.Option(
        None, "--save-counts", help="Write the word counts of all inputs here: an input of later runs, to be added up."
    ),
    threads: int | None = typer.Option(None, "--threads", help="Threads that count words; all cores when absent."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Say what would be done, read and write nothing."),
    quiet: bool = typer.Option(False, "--quiet", "-q", help="No progress on standard error."),
) -> None:
    """Train a byte-pair vocabulary and write tokenizer.json, with a card and a manifest.

    \b
    textpipe train-vocab corpus --vocab-size 8000 --out vocab
    textpipe train-vocab ko.txt.zst en.txt.zst --preset gpt2 --special-token "<|endoftext|>"
    textpipe train-vocab ko.counts en.counts --vocab-size 8000 --vocab-size 32000 --out ladder

    The merges are those of the tokenizers package. Text files are read line by line, JSONL document by document.
    """
    from textpipe.cli.progress import Progress
    from textpipe.vocabulary import VocabConfig, train_vocabularies, train_vocabulary

    stages = _stages(preset, normalizer=normalizer, pre_tokenizer=pre_tokenizer)
    sizes = sorted(set(vocab_sizes))
    config = VocabConfig(
        vocab_size=sizes[0], min_frequency=min_frequency, special_tokens=tuple(special_tokens), **stages
    )
    if dry_run:
        return _describe(inputs, out, config, sizes, counts_file)
    start = time.monotonic()
    with Progress(quiet=quiet) as progress:
        if len(sizes) == 1:
            made = [train_vocabulary(inputs, out, config, threads=threads, progress=progress, counts_file=counts_file)]
        else:
            made = train_vocabularies(
                inputs, out, sizes, config, threads=threads, progress=progress, counts_file=counts_file
            )
    if not quiet:
        sys.stderr.write(f"{out} after {time.monotonic() - start:.1f} s\n")
    for vocabulary in made:
        _summarize(vocabulary)
    return None


def _stages(preset: str, **chosen: str | None) -> dict[str, Any]:
    from textpipe.errors import ConfigError, did_you_mean
    from textpipe.vocabulary import PRESETS

    if preset not in PRESETS:
        raise ConfigError(f"no preset {preset!r}", where="--preset", hint=did_you_mean(preset, PRESETS))
    return {**PRESETS[preset], **{name: value for name, value in chosen.items() if value is not None}}


def _describe(inputs: list[Path], out: Path, config: VocabConfig, sizes: list[int], counts_file: Path | None) -> None:
    from textpipe.sources import expand
    from textpipe.vocabulary import make_tokenizer

    for size in sizes:
        make_tokenizer(config.replaced(vocab_size=size))  # refuses what cannot be trained
    paths = expand(inputs)
    print(f"read\t{len(paths)} files\t{sum(path.stat().st_size for path in paths):,} bytes on disk")
    for name, value in config.model_dump(mode="json").items():
        print(f"{name}\t{value if name != 'vocab_size' else ', '.join(map(str, sizes))}")
    for folder in [out] if len(sizes) == 1 else [out / str(size) for size in sizes]:
        print(f"write\t{folder}/tokenizer.json, README.md, manifest.json")
    if counts_file is not None:
        print(f"write\t{counts_file}")


def _summarize(vocabulary: Vocabulary) -> None:
    counts = vocabulary.counts
    print(f"vocabulary\t{counts['vocab_size']:,} entries\t{counts['merges']:,} merges")
    print(f"words\t{counts['words']:,}\t{counts['distinct_words']:,} distinct")
    for lang, fit in counts["languages"].items():
        print(f"{lang}\t{fit['bytes_per_token']:.2f} bytes per token")
    for script, pieces in counts["scripts"].items():
        print(f"{script}\t{pieces:,} pieces")
    print(f"first merges\t{' '.join(repr(piece) for piece in counts['first_merges'])}")
    print(f"last merges\t{' '.join(repr(piece) for piece in counts['last_merges'])}")
