"""``textpipe train-vocab``: turns flags into a :class:`~textpipe.vocabulary.VocabConfig` and trains."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from textpipe.vocabulary import VocabConfig, Vocabulary

_DATA, _WHAT, _STAGES, _WORK, _OUT = "Data", "Vocabulary", "Stages", "Work", "Output"


def command(
    inputs: list[str] = typer.Argument(
        help="Texts: what clean wrote, JSONL, Parquet or text files, or folders of them; also files of word counts. "
        "NAME=PATH names a corpus for --weights."
    ),
    *,
    vocab_sizes: list[int] | None = typer.Option(
        None,
        "--vocab-size",
        "-n",
        help="Entries, special tokens and alphabet included; 32000 when absent. Repeated: each size from one run, in a "
        "folder of its own.",
        rich_help_panel=_WHAT,
    ),
    model: str | None = typer.Option(
        None, "--model", help="bpe, wordpiece, unigram or wordlevel; bpe when absent.", rich_help_panel=_WHAT
    ),
    compat: str | None = typer.Option(
        None,
        "--compat",
        help="Whose rules: tokenizers (when absent), plain (the textbook, of bpe), or sentencepiece (bpe or unigram; "
        "begins with the preset sentencepiece, and writes tokenizer.model).",
        rich_help_panel=_WHAT,
    ),
    min_frequency: int | None = typer.Option(
        None, "--min-frequency", help="What occurs less often is not learned.", rich_help_panel=_WHAT
    ),
    special_tokens: list[str] | None = typer.Option(
        None, "--special-token", help="First entries of the vocabulary; may be repeated.", rich_help_panel=_WHAT
    ),
    whole_characters: bool | None = typer.Option(
        None,
        "--whole-characters",
        help="No byte-level token ends inside a character (of Korean: a syllable) that it does not begin in.",
        rich_help_panel=_WHAT,
    ),
    scripts_apart: bool | None = typer.Option(
        None, "--scripts-apart", help="No token has two of Hangul, Latin and digits.", rich_help_panel=_WHAT
    ),
    superwords: int | None = typer.Option(
        None,
        "--superwords",
        help="From this size on tokens may hold several words (of byte-level bpe), but neither digits nor punctuation "
        "with them.",
        rich_help_panel=_WHAT,
    ),
    preset: str = typer.Option(
        "default",
        "--preset",
        help="Settings to begin with: default (NFC, byte-level BPE), gpt2, cl100k, o200k, llama3, bert, t5, xlm-r, "
        "sentencepiece, or ko-morpheme (Korean is cut between morphemes while learning; the vocabulary then needs no "
        "analyser).",
        rich_help_panel=_STAGES,
    ),
    config_file: Path | None = typer.Option(
        None, "--config", help="TOML file with any of the settings; flags go before it.", rich_help_panel=_STAGES
    ),
    normalizer: str | None = typer.Option(
        None, "--normalizer", help="none, nfc, nfd, nfkc, nfkd, bert, bert-uncased, nmt-nfkc.", rich_help_panel=_STAGES
    ),
    pre_tokenizer: str | None = typer.Option(
        None,
        "--pre-tokenizer",
        help="byte-level, cl100k, o200k, llama3, ko-morpheme (no text is unknown), bert, metaspace, whitespace, "
        "whitespace-split. When absent: byte-level, for wordpiece bert, for unigram metaspace.",
        rich_help_panel=_STAGES,
    ),
    analyser: str | None = typer.Option(
        None,
        "--analyser",
        help="Of ko-morpheme: kiwi when absent; okt, komoran, hannanum and kkma are konlpy's and need Java.",
        rich_help_panel=_STAGES,
    ),
    weights: str | None = typer.Option(
        None,
        "--weights",
        help="Shares of the named corpora by bytes: ko=0.5,en=0.5, equal, temperature=0.3, or parity (a token stands "
        "for as many bytes in each).",
        rich_help_panel=_DATA,
    ),
    text_column: str | None = typer.Option(
        None, "--text-column", help="Where Parquet files hold their texts; text when absent.", rich_help_panel=_DATA
    ),
    invalid_utf8: str | None = typer.Option(
        None, "--invalid-utf8", help="refuse (when absent) or replace, and count.", rich_help_panel=_DATA
    ),
    memory_limit: str | None = typer.Option(
        None,
        "--memory-limit",
        help="The most this process may hold, such as 200MB; words that do not fit wait on the disk.",
        rich_help_panel=_WORK,
    ),
    threads: int | None = typer.Option(
        None, "--threads", help="Threads that count words; all cores when absent.", rich_help_panel=_WORK
    ),
    out: Path = typer.Option(Path("vocab"), "--out", "-o", help="Folder to make.", rich_help_panel=_OUT),
    formats: list[str] | None = typer.Option(
        None,
        "--format",
        help="Written beside tokenizer.json: vocab.txt, vocab.json, tiktoken, …; may be repeated.",
        rich_help_panel=_OUT,
    ),
    counts_file: Path | None = typer.Option(
        None,
        "--save-counts",
        help="Write the word counts of all inputs here: an input of later runs, to be added up.",
        rich_help_panel=_OUT,
    ),
    only_counts: bool = typer.Option(
        False, "--only-counts", help="Stop after --save-counts: nothing is trained.", rich_help_panel=_OUT
    ),
    dry_run: bool = typer.Option(
        False, "--dry-run", help="Say what would be done and what memory it takes; write nothing.", rich_help_panel=_OUT
    ),
    quiet: bool = typer.Option(False, "--quiet", "-q", help="No progress on standard error.", rich_help_panel=_OUT),
) -> None:
    """Train a vocabulary and write tokenizer.json, with a card and a manifest.

    \b
    textpipe train-vocab corpus --vocab-size 8000 --out vocab
    textpipe train-vocab ko=ko.txt.zst en=en.txt.zst --preset o200k --weights ko=0.5,en=0.5
    textpipe train-vocab corpus --preset bert --format vocab.txt
    textpipe train-vocab corpus.parquet --text-column body --compat sentencepiece --model bpe
    textpipe train-vocab ko.counts en.counts --vocab-size 8000 --vocab-size 32000 --out ladder
    textpipe train-vocab big --memory-limit 2GB --save-counts big.counts --only-counts

    The merges are those of the tokenizers package unless --compat says otherwise. Text files are read line by line,
    JSONL document by document. The same inputs and settings give the same files, whatever the threads and the memory.
    A run that was stopped or killed goes on where it was, in counting as in learning, when the same command is given
    again, and ends with the same files.
    """
    from textpipe.errors import ConfigError

    config = _config(
        preset,
        config_file,
        vocab_size=min(vocab_sizes) if vocab_sizes else None,
        model=model,
        compat=compat,
        min_frequency=min_frequency,
        special_tokens=None if special_tokens is None else tuple(special_tokens),
        whole_characters=whole_characters,
        scripts_apart=scripts_apart,
        superwords=superwords,
        normalizer=normalizer,
        pre_tokenizer=pre_tokenizer,
        analyser=analyser,
        weights=weights,
        invalid_utf8=invalid_utf8,
        text_column=text_column,
    )
    if only_counts and counts_file is None:
        raise ConfigError("--only-counts needs a file to write", hint="add --save-counts FILE")
    sizes = sorted(set(vocab_sizes or [config.vocab_size]))
    options = {"threads": threads, "memory_limit": memory_limit, "counts_file": counts_file}
    if dry_run:
        _describe(inputs, out, config, sizes=sizes, options=options, formats=formats or [])
    elif only_counts:
        _count(inputs, config, options, quiet=quiet)
    else:
        _train(inputs, out, config, sizes, options | {"formats": formats or []}, quiet=quiet)


def _config(preset: str, file: Path | None, **chosen: Any) -> VocabConfig:
    """A preset, over it the file, over that the flags."""
    from textpipe.config import load_mapping
    from textpipe.errors import ConfigError
    from textpipe.vocabulary import VocabConfig, preset_settings

    values = {} if file is None else load_mapping(file)
    if preset == "default" and "preset" not in values and chosen["compat"] == "sentencepiece":
        preset = "sentencepiece"  # the default, byte-level, is none that sentencepiece has
    settings = preset_settings(str(values.pop("preset", preset)) if preset == "default" else preset)
    try:
        VocabConfig(**{**settings, **values})
    except ConfigError as error:
        if file is None:
            raise
        raise ConfigError(error.what, where=file, hint=error.hint) from None
    return VocabConfig(**{**settings, **values, **{k: v for k, v in chosen.items() if v is not None}})


def _train(
    inputs: list[str], out: Path, config: VocabConfig, sizes: list[int], options: dict[str, Any], *, quiet: bool
) -> None:
    from textpipe.cli.progress import Progress
    from textpipe.vocabulary import train_vocabularies, train_vocabulary

    start = time.monotonic()
    with Progress(quiet=quiet) as progress:
        options = options | {"progress": _with_memory(progress)}
        if len(sizes) == 1:
            made = [train_vocabulary(inputs, out, config, **options)]
        else:
            made = train_vocabularies(inputs, out, sizes, config, **options)
    if not quiet:
        sys.stderr.write(f"{out} after {time.monotonic() - start:.1f} s\n")
    for vocabulary in made:
        _summarize(vocabulary)


def _count(inputs: list[str], config: VocabConfig, options: dict[str, Any], *, quiet: bool) -> None:
    from textpipe.cli.progress import Progress
    from textpipe.vocabulary import count_words

    with Progress(quiet=quiet) as progress:
        counts = count_words(inputs, config=config, progress=_with_memory(progress), **options)
    print(f"words\t{counts.num_occurrences:,}\t{len(counts):,} distinct")
    print(f"wrote\t{options['counts_file']}")


def _with_memory(progress: Any) -> Any:
    from textpipe.trainers.memory import megabytes, resident_bytes

    def report(phase: str, *row: Any, **facts: Any) -> None:
        progress(phase, *row, memory=megabytes(resident_bytes()), **facts)

    return report


def _describe(
    inputs: list[str],
    out: Path,
    config: VocabConfig,
    *,
    sizes: list[int],
    options: dict[str, Any],
    formats: list[str],
) -> None:
    from textpipe.trainers.memory import megabytes
    from textpipe.vocabulary import check_formats, forecast, make_tokenizer

    check_formats(formats)
    for size in sizes:
        make_tokenizer(config.replaced(vocab_size=size))  # refuses what cannot be trained
    expected = forecast(inputs, config.replaced(vocab_size=sizes[-1]), options["memory_limit"])
    print(f"read\t{expected.num_files} files\t{expected.disk_bytes:,} bytes on disk")
    for name, value in config.model_dump(mode="json").items():
        print(f"{name}\t{value if name != 'vocab_size' else ', '.join(map(str, sizes))}")
    print(f"words\tabout {expected.num_words:,} distinct, by a sample of {expected.sample_bytes:,} bytes")
    print(f"memory\tabout {megabytes(expected.memory_bytes)}{expected.verdict}")
    formats = [*(["tokenizer.model"] if config.compat == "sentencepiece" else []), *formats]
    for folder in [out] if len(sizes) == 1 else [out / str(size) for size in sizes]:
        print(f"write\t{folder}/tokenizer.json, README.md, manifest.json{''.join(f', {name}' for name in formats)}")
    if options["counts_file"] is not None:
        print(f"write\t{options['counts_file']}")


def _summarize(vocabulary: Vocabulary) -> None:
    from textpipe.vocabulary import shortfall

    counts = vocabulary.counts
    merges = f"\t{counts['merges']:,} merges" if counts["merges"] else ""
    print(f"vocabulary\t{counts['vocab_size']:,} entries{merges}")
    if missing := shortfall(counts).strip():
        print(f"note\t{missing}")
    if "replaced" in counts:
        print(f"note\t{counts['replaced']:,} runs of bytes that are not UTF-8 were replaced")
    if "words" in counts:
        print(f"words\t{counts['words']:,}\t{counts['distinct_words']:,} distinct")
    for lang, fit in counts["languages"].items():
        print(f"{lang}\t{fit['bytes_per_token']:.2f} bytes per token")
    for script, pieces in counts["scripts"].items():
        print(f"{script}\t{pieces:,} pieces")
    for which in ("first", "last"):
        if counts[f"{which}_merges"]:
            print(f"{which} merges\t{' '.join(repr(piece) for piece in counts[f'{which}_merges'])}")
    for name, rows in counts["lost"].items():
        for row in rows:
            print(f"lost\t{name}\t{row}")
