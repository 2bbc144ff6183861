"""``textpipe summarize``: the sentences of a text that stand for it, and beside them what a model writes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from textpipe.errors import ConfigError, InputError, counted


def command(
    files: list[Path] = typer.Argument(help="Texts, each file one (- is standard input); or TSV and JSONL of texts and "
                                            "their summaries."),
    *,
    sentences: int = typer.Option(3, "--sentences", "-n", help="How many sentences."),
    method: str = typer.Option("textrank", "--method", help="textrank, centroid, or lead: the first ones."),
    reference: list[Path] = typer.Option([], "--reference", "-r", help="The summary of each file, in their order, for "
                                                                       "chrF and ROUGE-L; may be repeated."),
    model: Path | None = typer.Option(None, "--model", help="Also write a summary by this run of train transformer or "
                                                            "seq2seq, or a folder of transformers."),
    beams: int | None = typer.Option(None, "--beams", help="With --model: hypotheses that are followed. (4)"),
    max_tokens: int | None = typer.Option(None, "--max-tokens", help="With --model: most tokens. (its context)"),
    cut: bool = typer.Option(False, "--cut", help="With --model: read what fits of a text too long for it, and say so, "
                                                  "instead of refusing it."),
    best: bool = typer.Option(False, "--best", help="With --model: its checkpoint with the lowest validation loss."),
    device: str | None = typer.Option(None, "--device", help="With --model: auto, cpu, cuda or mps. (auto)"),
) -> None:  # fmt: skip
    """Print the sentences that stand for each text, one on each line, in the order they have in it.

    \b
    textpipe summarize article.txt
    textpipe summarize article.txt --sentences 1 --method lead
    textpipe summarize article.txt --reference summary.txt
    textpipe summarize dev.tsv --model run

    Nothing is trained and nothing is rewritten: it is what a model that writes summaries has to be better than. Such a
    model is trained as one that translates: textpipe pack-pairs of texts and summaries, textpipe train transformer.
    With --model each line begins with who wrote it. Between two texts stands an empty line.

    Where summaries are known, the scores of each are printed on standard error, and those of the first sentences.
    """
    from textpipe.evaluation.extracts import extract

    if model is None:
        given = {"--beams": beams, "--max-tokens": max_tokens, "--cut": cut, "--best": best, "--device": device}
        for flag, value in given.items():
            if value is not None and value is not False:
                raise ConfigError(f"{flag} would do nothing without --model", hint="leave it out")
    if sentences < 1:
        raise ConfigError(counted(sentences, "sentence"), where="--sentences", allowed="1 or more")
    texts, references = _texts(files, reference)
    empty = next((number for number, text in enumerate(texts, 1) if not text.strip()), None)
    if empty is not None:
        raise InputError("an empty text", where=f"text {empty}")
    chosen: list[list[str]] = [
        [" ".join(sentence.split()) for sentence in extract(text, sentences, method=method)]  # type: ignore[arg-type]
        for text in texts
    ]
    written = None
    if model is not None:
        written = _written(
            model, texts, 4 if beams is None else beams, max_tokens, cut=cut, best=best, device=device or "auto"
        )
    for number, lines in enumerate(chosen):
        if number:
            print()
        for line in lines:
            print(line if written is None else f"{method}\t{line}")
        if written is not None:
            print(f"model\t{written[number]}")
    if references:
        told = {method: [" ".join(lines) for lines in chosen]}
        told |= {} if written is None else {"model": written}
        _score(told | {"lead": [" ".join(extract(text, sentences, method="lead")) for text in texts]}, references)


def _texts(files: list[Path], reference: list[Path]) -> tuple[list[str], list[str]]:
    """The texts, and their summaries where they are known."""
    from textpipe.data.parallel_text import iter_pairs
    from textpipe.sources import is_jsonl

    are_pairs = [is_jsonl(path) or ".tsv" in path.suffixes for path in files]
    if any(are_pairs):
        if not all(are_pairs):
            raise InputError("files of texts and summaries beside texts", hint="give one kind of them")
        if reference:
            raise ConfigError("--reference with files that have summaries", hint="leave it out")
        pairs = list(iter_pairs(files))
        if not pairs:
            raise InputError("no text", where=files[0])
        return [text for text, _ in pairs], [summary for _, summary in pairs]
    if reference and len(reference) != len(files):
        given = f"{counted(len(files), 'text')} with {len(reference)} of their summaries"
        raise InputError(given, allowed="one --reference for each file")
    return list(_read(files)), [" ".join(text.split()) for text in _read(reference)]


def _read(files: list[Path]) -> Iterator[str]:
    from textpipe.cli.tokenizer_option import read_stdin
    from textpipe.files.reading import decode_text, read_bytes
    from textpipe.limits import DEFAULT_LIMITS

    for path in files:
        is_stdin = str(path) == "-"
        yield read_stdin() if is_stdin else decode_text(read_bytes(path, DEFAULT_LIMITS.text_bytes), path)


def _written(
    model: Path, texts: list[str], beams: int, max_tokens: int | None, *, cut: bool, best: bool, device: str
) -> list[str]:
    """What a model writes of each text, on one line."""
    from textpipe.errors import require
    from textpipe.training.loading import find_model

    find_model(model, best=best)
    require("torch", extra="train")  # what can be refused without it has been
    from textpipe.generation.beam import BeamConfig
    from textpipe.generation.translating import Translator
    from textpipe.training.devices import pick_device

    writer = Translator.open(model, best=best, device=pick_device(device))
    config = BeamConfig(beams=beams, max_tokens=writer.model.config.context if max_tokens is None else max_tokens)
    lines = [" ".join(text.split()) for text in texts]
    if not cut:
        writer.check(lines, unit="text")
    written = writer.translate(lines, config, cut=cut)
    for number, found in enumerate(written, 1):
        if found.num_cut:
            print(f"text {number}: its last {found.num_cut:,} tokens were not read", file=sys.stderr)
    return [" ".join(found.text.split()) for found in written]


def _score(told: dict[str, Any], references: list[str]) -> None:
    from textpipe.evaluation.summaries import score_summaries

    for name, summaries in told.items():
        print(f"{name}\t{score_summaries(summaries, references)}", file=sys.stderr)
