"""``textpipe train-vocab``: turns flags into a :class:`~textpipe.vocabulary.VocabConfig` and trains.

The flags are the keys of that configuration, with their own descriptions: what a file may say, a flag may say.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import typer

from textpipe.cli.config_options import options_of, sentence, with_options
from textpipe.formats import FORMATS
from textpipe.vocabulary.config import PRESETS, VocabConfig

_WHAT, _ENTRIES, _STAGES, _DATA, _WORK, _OUT = "Vocabulary", "Entries", "Stages", "Data", "Work", "Output"
_PANELS = {
    **dict.fromkeys(("limit_alphabet", "max_token_length", "scoring", "byte_fallback", "character_coverage"), _ENTRIES),
    **dict.fromkeys(("whole_characters", "scripts_apart", "superwords"), _ENTRIES),
    **dict.fromkeys(("template", "normalizer", "pre_tokenizer", "analyser"), _STAGES),
    **dict.fromkeys(("invalid_utf8", "text_column", "weights"), _DATA),
}
_SETTINGS = options_of(
    VocabConfig,
    _WHAT,
    left_out=("vocab_size",),  # which may be given several times
    flags={"special_tokens": "--special-token"},
    panels=_PANELS,
    defaults=True,
)


@with_options(_SETTINGS, panels=(None, _WHAT, _ENTRIES, _STAGES, _DATA, _WORK, _OUT))
def command(
    inputs: list[str] = typer.Argument(
        help="Texts: what clean wrote, JSONL, Parquet or text files (.gz, .zst), or folders of them; also files of "
        "word counts. NAME=PATH names a corpus for --weights."
    ),
    *,
    vocab_sizes: list[int] | None = typer.Option(
        None,
        "--vocab-size",
        "-n",
        help=sentence(VocabConfig.model_fields["vocab_size"])
        + " Repeated: each size from one run, in a folder of its own.",
        rich_help_panel=_WHAT,
    ),
    preset: str = typer.Option(
        "default",
        "--preset",
        help=f"Settings to begin with: {', '.join(f'{name} ({preset.summary})' for name, preset in PRESETS.items())}.",
        rich_help_panel=_WHAT,
    ),
    config_file: Path | None = typer.Option(
        None,
        "--config",
        help="TOML file with any of these settings, over the preset and under the options; textpipe config init vocab "
        "writes one to begin with.",
        rich_help_panel=_WHAT,
    ),
    memory_limit: str | None = typer.Option(
        None,
        "--memory-limit",
        help="The most this process may hold, such as 200MB; words that do not fit wait on the disk.",
        rich_help_panel=_WORK,
    ),
    scratch_folder: Path | None = typer.Option(
        None,
        "--scratch-folder",
        help="Where words wait that --memory-limit leaves no room for; beside --out when absent.",
        rich_help_panel=_WORK,
    ),
    threads: int | None = typer.Option(
        None, "--threads", help="Threads that count and learn; all cores when absent.", rich_help_panel=_WORK
    ),
    out: Path = typer.Option(Path("vocab"), "--out", "-o", help="Folder to make.", rich_help_panel=_OUT),
    formats: list[str] | None = typer.Option(
        None,
        "--format",
        help=f"Written beside tokenizer.json: {', '.join(name for name in FORMATS if name != 'tokenizer.json')}; may "
        "be repeated.",
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
        False,
        "--dry-run",
        help="Say what would be done, and what memory and time it takes; write nothing.",
        rich_help_panel=_OUT,
    ),
    as_json: bool = typer.Option(False, "--json", help="The outcome as one JSON object.", rich_help_panel=_OUT),
    quiet: bool = typer.Option(False, "--quiet", "-q", help="No progress on standard error.", rich_help_panel=_OUT),
    **given: Any,
) -> None:
    """Train a vocabulary and write tokenizer.json, with a card and a manifest.

    \b
    textpipe train-vocab corpus --vocab-size 8000 --out vocab
    textpipe train-vocab ko=ko.txt.zst en=en.jsonl --weights ko=0.5,en=0.5
    textpipe train-vocab corpus --preset bert --format vocab.txt
    textpipe train-vocab corpus.parquet --text-column body --model unigram
    textpipe train-vocab corpus -n 8000 -n 16000 -n 32000 --out ladder
    textpipe train-vocab big --memory-limit 2GB --dry-run

    The merges are those of the tokenizers package unless --compat says otherwise. Text files are read line by line,
    JSONL document by document. The same inputs and settings give the same files, whatever the threads and the memory.
    A run that was stopped or killed goes on where it was, in counting as in learning, when the same command is given
    again, and ends with the same files.
    """
    from textpipe.errors import ConfigError

    chosen = {name: value for name, value in given.items() if value not in (None, [])}
    if vocab_sizes:
        chosen["vocab_size"] = min(vocab_sizes)
    config = _config(preset, config_file, chosen)
    if only_counts and counts_file is None:
        raise ConfigError("--only-counts needs a file to write", hint="add --save-counts FILE")
    sizes = sorted(set(vocab_sizes or [config.vocab_size]))
    options: dict[str, Any] = {"threads": threads, "memory_limit": memory_limit, "counts_file": counts_file}
    options["scratch_folder"] = scratch_folder
    if only_counts and not dry_run:
        _count(inputs, config, options, quiet=quiet, as_json=as_json)
        return
    options["formats"] = formats or []
    if dry_run:
        _forecast(inputs, out, config, sizes, options, as_json=as_json)
    else:
        _train(inputs, out, config, sizes, options, quiet=quiet, as_json=as_json)


def _config(preset: str, file: Path | None, chosen: dict[str, Any]) -> VocabConfig:
    """A preset, over it the file, over that the flags."""
    from textpipe.config import load_mapping, with_lines
    from textpipe.errors import ConfigError
    from textpipe.vocabulary import preset_settings

    values = {} if file is None else load_mapping(file)
    named = values.pop("preset", None)
    if preset == "default" and named is None and chosen.get("compat") == "sentencepiece":
        preset = "sentencepiece"  # the default, byte-level, is none that sentencepiece has
    try:
        settings = preset_settings(preset if named is None or preset != "default" else str(named))
    except ConfigError as error:
        if file is None or named is None:
            raise
        raise with_lines(error, file) from None
    try:
        VocabConfig(**{**settings, **values})
    except ConfigError as error:
        if file is None:
            raise
        raise with_lines(error, file) from None
    return VocabConfig(**{**settings, **values, **chosen})


def _train(
    inputs: list[str],
    out: Path,
    config: VocabConfig,
    sizes: list[int],
    options: dict[str, Any],
    *,
    quiet: bool,
    as_json: bool,
) -> None:
    from textpipe.cli.progress import Progress, with_memory
    from textpipe.cli.vocab_summary import show_vocabularies
    from textpipe.vocabulary import train_vocabularies, train_vocabulary

    start = time.monotonic()
    with Progress(quiet=quiet) as progress:
        options = options | {"progress": with_memory(progress)}
        if len(sizes) == 1:
            made = [train_vocabulary(inputs, out, config, **options)]
        else:
            made = train_vocabularies(inputs, out, sizes, config, **options)
    if not quiet:
        sys.stderr.write(f"{out} after {time.monotonic() - start:.1f} s\n")
    show_vocabularies(made, as_json=as_json)


def _count(inputs: list[str], config: VocabConfig, options: dict[str, Any], *, quiet: bool, as_json: bool) -> None:
    from textpipe.cli.progress import Progress, with_memory
    from textpipe.cli.vocab_summary import show_counts
    from textpipe.vocabulary import count_words

    with Progress(quiet=quiet) as progress:
        counts = count_words(inputs, config=config, progress=with_memory(progress), **options)
    show_counts(counts, options["counts_file"], as_json=as_json)


def _forecast(
    inputs: list[str], out: Path, config: VocabConfig, sizes: list[int], options: dict[str, Any], *, as_json: bool
) -> None:
    from textpipe.cli.vocab_summary import show_forecast
    from textpipe.vocabulary import check_formats, forecast, make_tokenizer, output_names

    check_formats(options["formats"], config)
    for size in sizes:
        make_tokenizer(config.replaced(vocab_size=size))  # refuses what cannot be trained
    expected = forecast(inputs, config.replaced(vocab_size=sizes[-1]), options["memory_limit"])
    folders = [out] if len(sizes) == 1 else [out / str(size) for size in sizes]
    written = [str(folder / name) for folder in folders for name in output_names(config, options["formats"])]
    if options["counts_file"] is not None:
        written.append(str(options["counts_file"]))
    show_forecast(expected, config, sizes, written, as_json=as_json)
