"""``textpipe predict``: what a fine-tuned encoder says of texts, one result a line; or how well it does on a file."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from textpipe.errors import ConfigError, InputError, counted

if TYPE_CHECKING:
    from textpipe.data.example_files import AnyExample, ExampleFormat
    from textpipe.tasks.prediction import PredictionScores, Predictor

_TOLD_AT_ONCE = 512
_TABLES = (".tsv", ".csv", ".jsonl", ".json")


def command(
    model: Path = typer.Argument(help="A run of textpipe train finetune, a checkpoint, or an exported model."),
    files: list[Path] = typer.Argument(None, help="Files with a text on each line (or two with a tab between; - is "
                                                  "standard input), or of examples, with or without labels."),
    *,
    text: list[str] = typer.Option([], "--text", "-t", help="A text, or a question; may be repeated."),
    second: list[str] = typer.Option([], "--second", "-s", help="Second text of each pair; what is asked about."),
    format_: str | None = typer.Option(None, "--format", help="Of published files: nsmc, klue-nli, klue-sts, "
                                                              "klue-ner, kornli, korsts, conll, squad or korquad."),
    text_column: str | None = typer.Option(None, "--text-column", help="Column of the text. (text)"),
    second_column: str | None = typer.Option(None, "--second-column", help="Column of the second text of a pair."),
    label_column: str | None = typer.Option(None, "--label-column", help="With --score: column of the label. (label)"),
    score: bool = typer.Option(False, "--score", help="Print only how well the labels of the files are predicted."),
    newest: bool = typer.Option(False, "--newest", help="The newest checkpoint of a run, not the best one."),
    batch_size: int = typer.Option(32, "--batch-size", min=1, help="Texts computed together."),
    device: str = typer.Option("auto", "--device", help="auto, cpu, cuda or mps."),
    threads: int | None = typer.Option(None, "--threads", min=1, help="CPU threads."),
    as_json: bool = typer.Option(False, "--json", help="Print one JSON object for each text, with all probabilities."),
) -> None:  # fmt: skip
    """Say what a fine-tuned encoder makes of texts: labels, scores, tags or answers.

    \b
    textpipe predict run --text "정말 재미있는 영화" --text "시간이 아깝다"
    textpipe predict run --text "누가 만들었나?" --second "한글은 세종대왕이 만들었다."
    textpipe predict run reviews.tsv --text-column review --json > told.jsonl
    textpipe predict run dev.tsv --score
    cat lines.txt | textpipe predict run -

    Each line of the output is what is told, a tab, and the text. With --score it is a measure and its 95 % interval;
    below them stand precision, recall and F1 of each label or type, and how many examples or entities have it.
    """
    from textpipe.errors import require
    from textpipe.training.loading import find_model

    find_model(model)
    if bool(text) == bool(files):
        raise InputError("--text and files together" if text else "no text", hint="name files, or give --text")
    columns = {"text": text_column, "second": second_column, "label": label_column}
    _refuse_what_would_do_nothing(text, second, format_, columns, score=score)
    torch = require("torch", extra="train")  # what can be refused without it has been
    from textpipe.tasks.prediction import Predictor
    from textpipe.training.devices import pick_device

    if threads is not None:
        torch.set_num_threads(threads)
    predictor = Predictor.open(model, newest=newest, device=pick_device(device))
    if score:
        labelled = _labelled(predictor, files, format_, columns)
        _print_scores(predictor.score(labelled, batch_size=batch_size), as_json=as_json)
        _tell_cut(predictor)
        return
    if files and format_ is None:
        _check_lines(predictor, files, columns)
    given = _given(text, second) if text else None
    examples = predictor.examples(given) if given is not None else _examples(predictor, files, format_, columns)
    _print(predictor, examples, batch_size, as_json=as_json)


def _refuse_what_would_do_nothing(
    text: list[str], second: list[str], format_: str | None, columns: dict[str, str | None], *, score: bool
) -> None:
    if score and text:
        raise ConfigError("--score with --text", hint="a score needs files with labels")
    if columns["label"] is not None and not score:
        raise ConfigError("--label-column would do nothing without --score", hint="leave it out")
    if second and not text:
        raise ConfigError("--second without --text", hint="files have second texts in a column, or behind a tab")
    of_files = {"--format": format_, **{f"--{name}-column": column for name, column in columns.items()}}
    for flag, value in of_files.items():
        if text and value is not None:
            raise ConfigError(f"{flag} with --text", hint="it says how files are read: leave it out")


def _print_scores(found: PredictionScores, *, as_json: bool) -> None:
    if as_json:
        rows = {
            "measures": {name: asdict(each) for name, each in found.measures.items()},
            "classes": {name: asdict(each) for name, each in found.classes.items()},
        }
        print(json.dumps(rows, ensure_ascii=False))
        return
    for name, interval in found.measures.items():
        print(f"{name.replace('_', ' ')}\t{interval}")
    if found.classes:
        print("\nclass\tprecision\trecall\tf1\tnumber")
    for name, each in found.classes.items():
        print(f"{name}\t{each.precision:.4f}\t{each.recall:.4f}\t{each.f1:.4f}\t{each.support}")


def _given(texts: list[str], seconds: list[str]) -> list[str | tuple[str, str]]:
    if seconds and len(seconds) != len(texts):
        given = f"{counted(len(texts), 'text')} with --text and {len(seconds)} with --second"
        raise InputError(given, allowed="one --second for each --text")
    return list(zip(texts, seconds, strict=True)) if seconds else list(texts)


def _task_of(predictor: Predictor) -> str:
    from textpipe.nn.shapes import ClassifierConfig, RegressorConfig, TaggerConfig

    tasks = {ClassifierConfig: "label", RegressorConfig: "score", TaggerConfig: "tags"}
    return tasks.get(type(predictor.shape), "answer")


def _format(predictor: Predictor, name: str | None, columns: dict[str, str | None]) -> ExampleFormat:
    from textpipe.data.example_files import format_named

    return format_named(name if name or _task_of(predictor) != "answer" else "squad", _task_of(predictor), **columns)


def _labelled(
    predictor: Predictor, files: list[Path], name: str | None, columns: dict[str, str | None]
) -> list[AnyExample]:
    from textpipe.data.example_files import read_examples

    return read_examples(files, _format(predictor, name, columns))


def _examples(
    predictor: Predictor, files: list[Path], name: str | None, columns: dict[str, str | None]
) -> Iterator[AnyExample]:
    """What the files hold, without labels: tables and published formats, or a text a line."""
    from textpipe.data.example_files import read_examples
    from textpipe.data.labelled_text import iter_examples, kind_of_file

    for path in files:
        if name is None and kind_of_file(path) not in _TABLES:
            yield from predictor.examples(_lines(path))
            continue
        format_ = _format(predictor, name, columns)
        if format_.task in ("tags", "answer"):
            yield from read_examples([path], format_)
        else:
            yield from iter_examples(path, replace(format_.columns, label=None))


def _check_lines(predictor: Predictor, files: list[Path], columns: dict[str, str | None]) -> None:
    """Refuse what would be read as lines, and is meant otherwise."""
    from textpipe.data.labelled_text import kind_of_file

    given = next((key for key in ("text", "second") if columns[key] is not None), None)
    for path in files:
        if kind_of_file(path) in (".conll", ".bio", ".iob"):
            is_tagger = _task_of(predictor) == "tags"
            hint = "name it: --format conll or klue-ner" if is_tagger else "this model does not mark spans"
            raise ConfigError("tagged text, and nothing says whether its tokens are words", where=path, hint=hint)
        if given is not None and kind_of_file(path) not in _TABLES:
            raise ConfigError(f"--{given}-column, and this file has no columns", where=path, hint="leave it out")


def _lines(path: Path) -> Iterator[str | tuple[str, str]]:
    """The texts of a file, one a line, two with a tab between; empty lines are no texts."""
    from textpipe.sources import iter_lines

    lines: Iterable[str] = iter_lines(path) if str(path) != "-" else _standard_input()
    for line in lines:
        if line.strip():
            one, tab, other = line.partition("\t")
            yield (one, other) if tab else one


def _standard_input() -> Iterator[str]:
    from textpipe.cli.tokenizer_option import stdin_lines

    return stdin_lines()


def _print(predictor: Predictor, examples: Iterator[AnyExample], batch_size: int, *, as_json: bool) -> None:
    while part := list(islice(examples, _TOLD_AT_ONCE)):
        for example, told in zip(part, predictor.predict(part, batch_size=batch_size), strict=True):
            if as_json:
                given: dict[str, Any] = {"text": example.text}
                other = getattr(example, "second", None) or getattr(example, "context", None)
                row = {**given, **({"second": other} if other else {}), **told.as_json()}
                print(json.dumps(row, ensure_ascii=False))
            else:
                print(f"{told}\t{' '.join(example.text.split())}")
        sys.stdout.flush()
    _tell_cut(predictor)


def _tell_cut(predictor: Predictor) -> None:
    cut = predictor.task.num_cut
    if cut:
        most = f"the {predictor.shape.context:,} tokens the model reads"
        print(f"{counted(cut, 'text')} of more than {most}: cut", file=sys.stderr)
