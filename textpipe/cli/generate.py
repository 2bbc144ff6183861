"""``textpipe generate``: writes text with a trained model, as it comes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import typer


def command(
    run: Path = typer.Argument(help="Folder of a run that textpipe train wrote, or one of its checkpoints."),
    *,
    prompt: list[str] = typer.Option([""], "--prompt", "-p", help="Beginning of the text; may be repeated."),
    max_tokens: int = typer.Option(100, "--max-tokens", help="Most tokens written."),
    temperature: float = typer.Option(0.8, "--temperature", help="Lower is safer; 0 takes the likeliest token."),
    top_k: int = typer.Option(0, "--top-k", help="Only the k likeliest tokens; 0 is all."),
    top_p: float = typer.Option(0.95, "--top-p", help="Only the likeliest tokens that together reach this share."),
    min_p: float = typer.Option(0.0, "--min-p", help="Only tokens with this share of the likeliest one's probability."),
    repetition_penalty: float = typer.Option(1.0, "--repetition-penalty", help="Above 1: less of what was written."),
    no_repeat_ngram: int = typer.Option(0, "--no-repeat-ngram", help="No run of so many tokens twice; 0 allows it."),
    stop: list[str] = typer.Option([], "--stop", help="A string that ends the text; may be repeated."),
    seed: int = typer.Option(0, "--seed", help="The same seed writes the same text."),
    best: bool = typer.Option(False, "--best", help="The checkpoint with the lowest validation loss, not the newest."),
    device: str = typer.Option("auto", "--device", help="auto, cpu, cuda or mps."),
    threads: int | None = typer.Option(None, "--threads", min=1, help="CPU threads."),
    as_json: bool = typer.Option(False, "--json", help="Print a JSON object a prompt, not a stream."),
) -> None:
    """Write text with a trained model.

    \b
    textpipe generate run --prompt "옛날에" --max-tokens 200
    textpipe generate run --prompt "The sea" --temperature 0 --json

    The text is printed as it is written, after its prompt. Nothing is downloaded.
    """
    from textpipe.errors import require
    from textpipe.training.checkpoints import find_checkpoint, load_model

    checkpoint = find_checkpoint(run, best=best)
    torch = require("torch", extra="train")  # what can be refused without it has been
    from textpipe.generation.decoding import check_prompts, generate, stream
    from textpipe.generation.sampling import SamplingConfig
    from textpipe.training.devices import pick_device

    config = SamplingConfig(
        max_tokens=max_tokens,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        min_p=min_p,
        repetition_penalty=repetition_penalty,
        no_repeat_ngram=no_repeat_ngram,
        stop=tuple(stop),
        seed=seed,
    )
    if threads is not None:
        torch.set_num_threads(threads)
    model, tokenizer, facts = load_model(checkpoint, device=pick_device(device))
    if as_json:
        for words, text in zip(prompt, generate(model, tokenizer, prompt, config, eos_id=facts["eos_id"]), strict=True):
            print(json.dumps({"prompt": words, "text": text}, ensure_ascii=False))
        return
    check_prompts(tokenizer, prompt, model.config, eos_id=facts["eos_id"])  # all are refused before one is printed
    for words in prompt:
        sys.stdout.write(words)
        for piece in stream(model, tokenizer, words, config, eos_id=facts["eos_id"]):
            sys.stdout.write(piece)
            sys.stdout.flush()
        sys.stdout.write("\n")
