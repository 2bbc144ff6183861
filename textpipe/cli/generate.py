"""``textpipe generate``: writes with a trained model: what follows a prompt, the target of a source, what is masked."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import typer

from textpipe.errors import ConfigError, InputError

_COMMON = {"max_tokens": "--max-tokens", "stop": "--stop"}
_COMMON |= {"repetition_penalty": "--repetition-penalty", "no_repeat_ngram": "--no-repeat-ngram"}
_DRAWN = {name: "--" + name.replace("_", "-") for name in ("temperature", "top_k", "top_p", "min_p", "seed")}
_SEARCHED = {name: "--" + name.replace("_", "-") for name in ("beams", "length_penalty", "alpha")}


def command(
    model: Path = typer.Argument(help="A run that textpipe train wrote, one of its checkpoints, or an exported model."),
    *,
    prompt: list[str] = typer.Option(
        [], "--prompt", "-p", help="Beginning of the text, source, or text with [MASK] (bert); may be repeated."
    ),
    file: Path | None = typer.Option(None, "--file", "-f", help="A prompt a line, UTF-8; - is standard input."),
    max_tokens: int | None = typer.Option(None, "--max-tokens", help="Most tokens written. (100)"),
    temperature: float | None = typer.Option(
        None, "--temperature", help="Lower is safer; 0 takes the likeliest token. (gpt 0.8, pairs 0)"
    ),
    top_k: int | None = typer.Option(
        None, "--top-k", help="Only the k likeliest tokens; of bert the k that are shown (5)."
    ),
    top_p: float | None = typer.Option(
        None, "--top-p", help="Only the likeliest tokens that together reach this share. (gpt 0.95)"
    ),
    min_p: float | None = typer.Option(
        None, "--min-p", help="Only tokens with this share of the likeliest one's probability."
    ),
    repetition_penalty: float | None = typer.Option(
        None, "--repetition-penalty", help="Above 1: less of what was written."
    ),
    no_repeat_ngram: int | None = typer.Option(
        None, "--no-repeat-ngram", help="No run of so many tokens twice; 0 allows it."
    ),
    beams: int | None = typer.Option(None, "--beams", help="Search for the likeliest text with so many hypotheses."),
    length_penalty: str | None = typer.Option(None, "--length-penalty", help="Of --beams: average, gnmt or none."),
    alpha: float | None = typer.Option(None, "--alpha", help="Of --beams: exponent of the length penalty."),
    stop: list[str] = typer.Option([], "--stop", help="A string that ends the text; may be repeated."),
    seed: int | None = typer.Option(None, "--seed", help="The same seed writes the same text. (0)"),
    best: bool = typer.Option(False, "--best", help="The checkpoint with the lowest validation loss, not the newest."),
    batch_size: int = typer.Option(32, "--batch-size", min=1, help="Prompts written together with --json."),
    device: str = typer.Option("auto", "--device", help="auto, cpu, cuda or mps."),
    threads: int | None = typer.Option(None, "--threads", min=1, help="CPU threads."),
    as_json: bool = typer.Option(False, "--json", help="Print a JSON object a prompt, not a stream."),
) -> None:
    """Write text with a trained model.

    \b
    textpipe generate run --prompt "옛날에" --max-tokens 200
    textpipe generate run --prompt "The sea" --temperature 0 --json
    textpipe generate translator --prompt "the sea is calm" --beams 4
    textpipe generate bert --prompt "서울은 대한민국의 [MASK]이다"

    The text is printed as it is written, after its prompt; a model of pairs prints the target alone. Nothing is
    downloaded.
    """
    from textpipe.errors import require
    from textpipe.training.loading import find_model, load_model
    from textpipe.training.run_config import FINE_TUNED

    given = {
        "max_tokens": max_tokens,
        "temperature": temperature,
        "top_k": top_k,
        "top_p": top_p,
        "min_p": min_p,
        "repetition_penalty": repetition_penalty,
        "no_repeat_ngram": no_repeat_ngram,
        "beams": beams,
        "length_penalty": length_penalty,
        "alpha": alpha,
        "stop": tuple(stop) or None,
        "seed": seed,
    }
    given = {name: value for name, value in given.items() if value is not None}
    prompts = _prompts(prompt, file)
    found = find_model(model, best=best)
    torch = require("torch", extra="train")  # what can be refused without it has been
    from textpipe.training.devices import pick_device

    if threads is not None:
        torch.set_num_threads(threads)
    made, tokenizer, facts = load_model(found, device=pick_device(device))
    if facts["architecture"] in FINE_TUNED:
        raise ConfigError(f"a {facts['architecture']} writes no text", where=model, hint="use textpipe predict")
    if facts["architecture"] == "bert":
        _fill(made, tokenizer, facts, prompts, given, as_json=as_json)
        return
    from textpipe.generation.decoding import TextWriter

    is_gpt = facts["architecture"] == "gpt"
    config = _settings(given, is_gpt=is_gpt)
    writer = TextWriter(made, tokenizer, **facts["borders"])
    writer.check(prompts)  # all are refused before one is printed
    if as_json:
        for words, text in zip(prompts, writer.generate(prompts, config, batch_size=batch_size), strict=True):
            print(json.dumps({"prompt": words, "text": text}, ensure_ascii=False))
        return
    for words in prompts:
        sys.stdout.write(words if is_gpt else "")
        for piece in _streamed(writer, words, config):
            sys.stdout.write(piece)
            sys.stdout.flush()
        sys.stdout.write("\n")


def _prompts(given: list[str], file: Path | None) -> list[str]:
    if file is None:
        return given or [""]
    if given:
        raise InputError("--prompt and --file together", hint="give one or the other")
    from textpipe.cli.tokenizer_option import read_stdin
    from textpipe.files.reading import decode_text, read_bytes
    from textpipe.limits import DEFAULT_LIMITS

    if str(file) == "-":
        lines = read_stdin().splitlines()
    else:
        lines = decode_text(read_bytes(file, DEFAULT_LIMITS.text_bytes), file).splitlines()
    if not lines:
        raise InputError("no prompt in it", where=file)
    return lines


def _settings(given: dict[str, Any], *, is_gpt: bool) -> Any:
    """How to write: drawn, or searched where ``--beams`` is above 1."""
    from textpipe.generation.beam import BeamConfig
    from textpipe.generation.sampling import SamplingConfig

    if given.get("beams", 1) > 1:
        _refuse(given, _DRAWN, "--beams searches for the likeliest text and draws nothing")
        return BeamConfig(**given)
    beams = given.pop("beams", 1)
    if beams != 1:
        BeamConfig(beams=beams)  # says what is allowed
    _refuse(given, _SEARCHED, "without --beams above 1 no text is searched for")
    if is_gpt:
        return SamplingConfig(**{"temperature": 0.8, "top_p": 0.95, **given})
    drawn = {"temperature": 1.0} if given.keys() & {"top_k", "top_p", "min_p", "seed"} else {"temperature": 0.0}
    return SamplingConfig(**{**drawn, **given})


def _refuse(given: dict[str, Any], flags: dict[str, str], why: str) -> None:
    wrong = [flag for name, flag in flags.items() if name in given]
    if wrong:
        raise ConfigError(f"{wrong[0]} would do nothing: {why}", hint="leave it out")


def _streamed(writer: Any, words: str, config: Any) -> Any:
    from textpipe.generation.beam import BeamConfig

    return writer.generate([words], config) if isinstance(config, BeamConfig) else writer.stream(words, config)


def _fill(
    model: Any, tokenizer: Any, facts: dict[str, Any], prompts: list[str], given: dict[str, Any], *, as_json: bool
) -> None:
    from textpipe.data.masking import Marks
    from textpipe.generation.filling import fill_masks, filled

    top_k = given.pop("top_k", 5)
    if top_k < 1:
        raise ConfigError(f"top_k = {top_k}", where="--top-k", allowed="1 or more")
    _refuse(given, {**_COMMON, **_DRAWN, **_SEARCHED}, "a bert fills masks and writes no text")
    marks = Marks.of(tokenizer, eos_id=facts["eos_id"])
    for words, guesses in zip(prompts, fill_masks(model, tokenizer, prompts, marks, top_k=top_k), strict=True):
        text = filled(tokenizer, words, guesses, marks)
        if as_json:
            rows = [[guess._asdict() for guess in row] for row in guesses]
            print(json.dumps({"prompt": words, "text": text, "masks": rows}, ensure_ascii=False))
            continue
        print(text)
        for number, row in enumerate(guesses, 1):
            shown = "  ".join(f"{guess.text} {guess.probability:.3f}" for guess in row)
            print(f"  mask {number}: {shown}")
