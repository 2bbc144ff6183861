"""``textpipe translate``: the targets of many sources, with alignments and scores."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from textpipe.cli.new_files import refuse_existing
from textpipe.errors import ConfigError, FormatError, InputError

if TYPE_CHECKING:
    from textpipe.generation.translating import Translation

_CHECKED_AT_ONCE = 4096
_BATCHES_AT_ONCE = 8  # as many are read before one is written: those of like length go together


def command(
    model: Path = typer.Argument(help="A run of textpipe train transformer, seq2seq or unsupervised, a checkpoint, or "
                                      "a folder of transformers (Marian, M2M100)."),
    files: list[Path] = typer.Argument(None, help="Files with a source on each line; - is standard input."),
    *,
    text: list[str] = typer.Option([], "--text", "-t", help="A source; may be repeated."),
    beams: int = typer.Option(4, "--beams", help="Hypotheses that are followed; 1 takes the likeliest token."),
    length_penalty: str = typer.Option("average", "--length-penalty", help="average, gnmt or none."),
    alpha: float = typer.Option(1.0, "--alpha", help="Exponent of the length penalty; above 0 longer texts gain."),
    max_tokens: int | None = typer.Option(None, "--max-tokens", help="Most tokens of a target. (the model's context)"),
    batch_size: int = typer.Option(32, "--batch-size", min=1, help="Sources translated together."),
    cut: bool = typer.Option(False, "--cut", help="Translate what the model can read of a source too long for it, and "
                                                  "say so, instead of refusing it."),
    best: bool = typer.Option(False, "--best", help="The checkpoint with the lowest validation loss, not the newest."),
    source_language: str | None = typer.Option(None, "--source-language", help="Of a model of languages: that of "
                                                                               "the sources, as ko."),
    target_language: str | None = typer.Option(None, "--target-language", help="… and the one to translate into."),
    average: int = typer.Option(1, "--average", min=1, help="The mean of the weights of so many newest checkpoints."),
    reference: list[Path] = typer.Option([], "--reference", "-r", help="What each line should be, for BLEU and chrF; "
                                                                       "may be repeated."),
    tokenization: str | None = typer.Option(None, "--tokenization", help="What BLEU counts: 13a, ko-mecab, char, intl, "
                                                                         "zh, none. (of Korean ko-mecab where it is "
                                                                         "installed, else char; of others 13a)"),
    out: Path | None = typer.Option(None, "--out", "-o", help="File for the targets; it must not exist."),
    alignments: bool = typer.Option(False, "--alignments", help="After each target a tab, and which of the source's "
                                                                "tokens each of its tokens is of, as 0-0 2-1."),
    picture: Path | None = typer.Option(None, "--picture", help="Draw where one --text was looked at: an SVG file, "
                                                                    "which must not exist."),
    device: str = typer.Option("auto", "--device", help="auto, cpu, cuda or mps."),
    threads: int | None = typer.Option(None, "--threads", min=1, help="CPU threads."),
    as_json: bool = typer.Option(False, "--json", help="Print one JSON object for each source, with its score."),
) -> None:  # fmt: skip
    """Translate each source: write its target, the likeliest that a beam search finds.

    \b
    textpipe translate run --text "바다는 넓다"
    textpipe translate run sources.txt --average 5 --out targets.txt
    textpipe translate run dev.ko --reference dev.en --out written.en
    textpipe translate run --text "바다는 넓다" --alignments --picture attention.svg
    textpipe translate m2m100 --source-language ko --target-language en --text "바다는 넓다"

    A target stands on one line, as its source does. BLEU and chrF are those of sacrebleu, with their signatures; they
    are printed on standard error, or with --out on standard output.
    """
    from textpipe.errors import require
    from textpipe.training.loading import find_model

    find_model(model, best=best)
    _check(text, files, picture=picture, best=best, average=average, references=reference, tokenization=tokenization)
    refuse_existing(out, picture)
    sources: Iterable[str] = text or _lines(files)
    references: list[list[str]] = []
    if reference:
        sources = list(sources)
        references = [_reference(path, sources, files) for path in reference]
        from textpipe.evaluation.translations import usable_tokenization

        tokenization = usable_tokenization(tokenization, references)
    torch = require("torch", extra="train")  # what can be refused without it has been
    from textpipe.generation.beam import BeamConfig
    from textpipe.generation.translating import Translator
    from textpipe.training.devices import pick_device

    if threads is not None:
        torch.set_num_threads(threads)
    languages = (source_language, target_language)
    translator = Translator.open(model, best=best, average=average, device=pick_device(device), languages=languages)
    names = getattr(translator.model.config, "languages", None)
    if names and languages == (None, None):
        print(f"from {names[0]} to {names[1]}; --source-language {names[1]} turns it round", file=sys.stderr)
    found = {"beams": beams, "length_penalty": length_penalty, "alpha": alpha}
    config = BeamConfig(**found, max_tokens=max_tokens or translator.model.config.context)  # type: ignore[arg-type]
    wants = alignments or picture is not None
    unit = "text" if text else "line"
    if not cut and (out is not None or references):  # written as a whole: what cannot be read is told before
        sources = list(sources)
        for start in range(0, len(sources), _CHECKED_AT_ONCE):
            translator.check(sources[start : start + _CHECKED_AT_ONCE], unit=unit, first=start + 1)
    told = _translations(translator, iter(sources), config, batch_size, aligned=wants, cut=cut, unit=unit)
    texts = _write(told, out, as_json=as_json, alignments=alignments, picture=picture)
    if references:
        _score(texts, references, tokenization, to=sys.stderr if out is None else sys.stdout)


def _check(
    text: list[str],
    files: list[Path],
    *,
    picture: Path | None,
    best: bool,
    average: int,
    references: list[Path],
    tokenization: str | None,
) -> None:
    if bool(text) == bool(files):
        raise InputError("--text and files together" if text else "no source", hint="name files, or give --text")
    if picture is not None and len(text) != 1:
        raise ConfigError("--picture is of one source", hint="give one --text")
    if best and average > 1:
        raise ConfigError("--best with --average", hint="the mean is of the newest checkpoints: leave one of them out")
    if references and text:
        raise ConfigError("--reference with --text", hint="references are lines of a file: give the sources as one too")
    if tokenization is not None and not references:
        raise ConfigError("--tokenization would do nothing without --reference", hint="leave it out")


def _lines(files: list[Path]) -> Iterator[str]:
    from textpipe.cli.tokenizer_option import stdin_lines
    from textpipe.sources import iter_lines

    for path in files:
        if str(path) != "-" and not path.exists():
            raise InputError("no such file", where=path, hint="a source itself is given with --text")
        yield from stdin_lines() if str(path) == "-" else iter_lines(path)


def _reference(path: Path, sources: list[str], files: list[Path]) -> list[str]:
    from textpipe.sources import iter_lines

    if not path.is_file():
        raise InputError("no such file", where=path)
    found = list(iter_lines(path))
    if len(found) != len(sources):
        names = ", ".join(str(each) for each in files)
        shorter, longer = (path, names) if len(found) < len(sources) else (names, path)
        number = min(len(found), len(sources)) + 1
        raise FormatError(f"ends before line {number}, which {longer} has", path=shorter, field=f"line {number}")
    return found


def _translations(
    translator: Any, sources: Iterator[str], config: Any, batch_size: int, *, aligned: bool, cut: bool, unit: str
) -> Iterator[Translation]:
    """Empty lines stay where they are, and are not translated; ``unit`` is what a message calls a source."""
    from textpipe.generation.translating import Translation

    done = 0
    while part := list(islice(sources, batch_size * _BATCHES_AT_ONCE)):
        kept = [line for line in part if line.strip()]
        if not cut:
            translator.check(part, unit=unit, first=done + 1)
        found = translator.translate(kept, config, batch_size=batch_size, aligned=aligned, cut=cut) if kept else []
        made = iter(found)
        for number, line in enumerate(part, done + 1):
            each = next(made) if line.strip() else Translation("", "", 0.0)
            if each.num_cut:
                print(f"{unit} {number}: its last {each.num_cut:,} tokens were not read", file=sys.stderr)
            yield each
        done += len(part)


def _write(
    told: Iterator[Translation], out: Path | None, *, as_json: bool, alignments: bool, picture: Path | None
) -> list[str]:
    """Print the translations, or write them to a file; returns their texts, each on one line."""
    from textpipe.files import write_text

    texts, rows = [], []
    for each in told:
        line = " ".join(each.text.splitlines())
        texts.append(line)
        if as_json:
            line = json.dumps(each.as_json(), ensure_ascii=False)
        elif alignments:
            line += f"\t{each.alignment or ''}"
        if out is None:
            print(line, flush=True)
        else:
            rows.append(line + "\n")
        if picture is not None and each.alignment is not None:
            from textpipe.report.attention_picture import attention_picture

            shown = each.alignment
            write_text(picture, attention_picture(shown.source_tokens, shown.target_tokens, shown.shares))
    if out is not None:
        write_text(out, "".join(rows))
    return texts


def _score(texts: list[str], references: list[list[str]], tokenization: str | None, *, to: Any) -> None:
    from textpipe.evaluation.translations import score_translations

    found = score_translations(texts, references, tokenization=tokenization)  # type: ignore[arg-type]
    print(f"BLEU\t{found.bleu}", file=to)
    print(f"chrF\t{found.chrf}", file=to)
