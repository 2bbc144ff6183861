"""``textpipe evaluate``: how well a trained model knows texts, a row a text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import typer

from textpipe.cli.pair_files import COLUMNS, columns_of
from textpipe.errors import ConfigError, InputError, counted
from textpipe.sources import TextUnit

if TYPE_CHECKING:
    from textpipe.evaluation.model_scores import Evaluator, TextScore


def command(
    model: Path = typer.Argument(help="A run that textpipe train wrote, one of its checkpoints, or an exported model."),
    texts: list[Path] = typer.Argument(help="Each a row: documents as textpipe pack reads them, what pack or "
                                            "pack-pairs wrote, or for a model of pairs a TSV or JSONL of pairs."),
    *,
    split: Literal["train", "val"] = typer.Option("val", "--split", help="Of packed data: val or train."),
    text_unit: TextUnit = typer.Option("line", "--text-unit", help="What is one document of a plain text file."),
    columns: str = COLUMNS,
    document_mask: bool | None = typer.Option(None, "--document-mask/--no-document-mask", help="gpt, bert: each "
                                              "document is read by itself. (as it was trained; of other folders not)"),
    bleu: bool = typer.Option(False, "--bleu", help="Of pairs: also write each target, and print BLEU and chrF."),
    beams: int = typer.Option(4, "--beams", help="With --bleu: hypotheses that are followed."),
    best: bool = typer.Option(False, "--best", help="The checkpoint with the lowest validation loss, not the newest."),
    average: int = typer.Option(1, "--average", min=1, help="The mean of the weights of so many newest checkpoints."),
    source_language: str | None = typer.Option(None, "--source-language", help="Of a model of languages: that of the "
                                                                               "sources, as ko."),
    target_language: str | None = typer.Option(None, "--target-language", help="… and that of the targets."),
    batch_size: int = typer.Option(16, "--batch-size", min=1, help="Sequences read at once: speed and memory alone."),
    device: str = typer.Option("auto", "--device", help="auto, cpu, cuda or mps."),
    threads: int | None = typer.Option(None, "--threads", min=1, help="CPU threads."),
    quiet: bool = typer.Option(False, "--quiet", "-q", help="No progress on standard error."),
    as_json: bool = typer.Option(False, "--json", help="All of it as one JSON object."),
) -> None:  # fmt: skip
    """Print how well a trained model knows texts: bits per byte, perplexity, nats a token.

    \b
    textpipe evaluate run held-out.txt
    textpipe evaluate run shards news.jsonl reviews.txt.zst --json
    textpipe evaluate translator dev.tsv --bleu

    A gpt predicts every token and the end of each document. A bert predicts the tokens that are hidden from it, always
    the same ones, and has no bits per byte. A model of pairs predicts the targets of sources.
    Bits per byte can be compared between models of different vocabularies, perplexity and nats a token cannot.
    """
    from textpipe.cli.progress import Progress
    from textpipe.errors import require
    from textpipe.training.loading import find_model

    find_model(model, best=best)
    places = columns_of(columns)
    absent = next((path for path in texts if not path.exists()), None)
    if absent is not None:
        raise InputError("no such file or folder", where=absent)
    if best and average > 1:
        raise ConfigError("--best with --average", hint="the mean is of the newest checkpoints: leave one of them out")
    torch = require("torch", extra="train")  # what can be refused without it has been
    from textpipe.evaluation.model_scores import Evaluator
    from textpipe.training.devices import pick_device

    if threads is not None:
        torch.set_num_threads(threads)
    evaluator = Evaluator.open(
        model,
        best=best,
        average=average,
        device=pick_device(device),
        languages=(source_language, target_language),
        document_mask=document_mask,
        batch_size=batch_size,
    )
    if bleu and not evaluator.is_of_pairs:
        raise ConfigError("--bleu is for a model of pairs", where=model, hint="leave it out")
    rows = []
    with Progress(quiet=quiet) as progress:
        for path in texts:
            score = _score(evaluator, path, split=split, unit=text_unit, places=places, progress=progress)
            told = _bleu(evaluator, path, places, beams) if bleu else {}
            rows.append((str(path), score, told))
    _print(model, evaluator, rows, as_json=as_json)


def _kind(path: Path) -> str | None:
    """What packed data a path is; None for texts."""
    from textpipe.files import read_manifest

    if not (path / "manifest.json").is_file():
        return None
    found = str(read_manifest(path)["kind"])
    return found if found.startswith("pack") else None


def _score(
    evaluator: Evaluator,
    path: Path,
    *,
    split: Literal["train", "val"],
    unit: TextUnit,
    places: tuple[int, int],
    progress: Any,
) -> TextScore:
    from textpipe.data.parallel_text import iter_pairs
    from textpipe.sources import iter_documents

    kind, wanted = _kind(path), "pack-pairs" if evaluator.is_of_pairs else "pack"
    if kind is not None and kind != wanted:
        raise InputError(
            f"what {kind} wrote, and a {evaluator.facts['architecture']} reads what {wanted} does", where=path
        )
    if kind is not None:
        return evaluator.packed(path, split=split, progress=progress)
    try:
        if evaluator.is_of_pairs:
            return evaluator.pairs(iter_pairs([path], columns=places))
        return evaluator.documents(iter_documents([path], text_unit=unit), progress=progress)
    except InputError as error:
        if error.where is not None:
            raise
        raise InputError(error.what, where=path, allowed=error.allowed, hint=error.hint) from None


def _bleu(evaluator: Evaluator, path: Path, places: tuple[int, int], beams: int) -> dict[str, Any]:
    from textpipe.data.parallel_text import iter_pairs
    from textpipe.generation.beam import BeamConfig

    if _kind(path) is not None:
        raise InputError("--bleu reads texts, and these are ids", where=path, hint="name the file of pairs itself")
    config = BeamConfig(beams=beams, max_tokens=evaluator.shape.context)
    found = evaluator.translations(list(iter_pairs([path], columns=places)), config)
    named = {"BLEU": found.bleu, "chrF": found.chrf}
    return {name: {"score": each.value, "signature": each.signature} for name, each in named.items()}


def _print(
    model: Path, evaluator: Evaluator, rows: list[tuple[str, TextScore, dict[str, Any]]], *, as_json: bool
) -> None:
    from textpipe.cli.rows import print_rows

    if as_json:
        told = [{"text": name, **score.as_json(), **more} for name, score, more in rows]
        found = {"schema_version": 1, "model": str(model), "architecture": evaluator.facts["architecture"]}
        print(json.dumps({**found, "texts": told}, ensure_ascii=False))
        return
    predicted = rows[0][1].predicted
    table = [["text", "bytes", "tokens", *([predicted] if predicted == "hidden tokens" else [])]]
    table[0] += ["bits per byte", "perplexity", "nats a token", *rows[0][2]]
    for name, score, more in rows:
        bits = "-" if score.bits_per_byte is None else f"{score.bits_per_byte:.4f}"
        counts = [f"{score.text_bytes:,}", f"{score.num_tokens:,}"]
        counts += [f"{score.num_predicted:,}"] if predicted == "hidden tokens" else []
        scores = [f"{each['score']:.2f}" for each in more.values()]
        table.append([name, *counts, bits, f"{score.perplexity:,.3f}", f"{score.loss:.4f}", *scores])
    print_rows(table)
    for name, score, more in rows:
        if score.num_left_out:
            still = "; BLEU and chrF count them, of a long source what is read" if more else ""
            print(f"{name}: {counted(score.num_left_out, 'pair')} longer than the model reads: left out{still}")
        for measure, each in more.items():
            print(f"{name}: {measure} {each['signature']}")
