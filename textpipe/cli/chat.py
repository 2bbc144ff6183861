"""``textpipe chat``: a conversation with a model, a message a line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from textpipe.errors import ConfigError, InputError


def command(
    model: Path = typer.Argument(help="A run trained on pairs of messages and answers, a gpt's run, or an export."),
    *,
    text: list[str] = typer.Option([], "--text", "-t", help="Message; may be repeated. Else lines of standard input."),
    history: int | None = typer.Option(None, "--history", min=0, help="Most turns read with a message. "
                                                                 "(of a gpt all, of pairs as many as sources had)"),
    user: str = typer.Option("<|user|>", "--user", help="gpt: special token before what a person says."),
    assistant: str = typer.Option("<|assistant|>", "--assistant", help="gpt: special token before an answer."),
    max_tokens: int = typer.Option(100, "--max-tokens", help="Most tokens of an answer."),
    temperature: float = typer.Option(0.0, "--temperature", help="Lower is safer; 0 takes the likeliest token."),
    top_p: float = typer.Option(1.0, "--top-p", help="Only the likeliest tokens that together reach this share."),
    no_repeat_ngram: int = typer.Option(0, "--no-repeat-ngram", help="No run of so many tokens twice; 0 allows it."),
    seed: int = typer.Option(0, "--seed", help="The same seed gives the same answers."),
    best: bool = typer.Option(False, "--best", help="The checkpoint with the lowest validation loss, not the newest."),
    device: str = typer.Option("auto", "--device", help="auto, cpu, cuda or mps."),
    threads: int | None = typer.Option(None, "--threads", min=1, help="CPU threads."),
) -> None:  # fmt: skip
    """Talk with a model: each line of standard input is a message, each line of the output its answer.

    \b
    textpipe chat run
    textpipe chat run --text "오늘 너무 피곤해"
    textpipe chat gpt --temperature 0.8 --top-p 0.9 < messages.txt

    A model of pairs is trained by textpipe pack-pairs and textpipe train transformer or seq2seq, on messages and their
    answers; with pack-pairs --history on dialogues, and then it reads what was said before. A gpt needs texts with a
    special token before what each side says; what a person types is never one. An empty line begins the conversation
    anew.
    """
    from textpipe.errors import require
    from textpipe.training.loading import find_model, load_model

    find_model(model, best=best)
    torch = require("torch", extra="train")  # what can be refused without it has been
    from textpipe.generation.conversation import Conversation, Roles
    from textpipe.generation.sampling import SamplingConfig
    from textpipe.nn.shapes import EncoderConfig
    from textpipe.training.devices import pick_device

    if threads is not None:
        torch.set_num_threads(threads)
    made, tokenizer, facts = load_model(model, best=best, device=pick_device(device))
    if isinstance(made.config, EncoderConfig):
        raise ConfigError(f"a {facts['architecture']} answers nothing", where=model, hint="it writes no text")
    config = SamplingConfig(
        max_tokens=max_tokens, temperature=temperature, top_p=top_p, no_repeat_ngram=no_repeat_ngram, seed=seed
    )
    known = {"history": history, "learnt_history": facts.get("history", 0), **facts["borders"]}
    talk = Conversation(made, tokenizer, roles=Roles(user, assistant), **known)
    is_typed = not text and sys.stdin.isatty()
    for message in text or _messages(prompts=is_typed):
        if message.strip():
            _answer(talk, message, config, goes_on=is_typed)
        else:
            talk.turns.clear()


def _messages(*, prompts: bool) -> Iterator[str]:
    from textpipe.cli.tokenizer_option import stdin_lines

    lines = stdin_lines()
    while True:
        if prompts:
            print("> ", end="", file=sys.stderr, flush=True)
        line = next(lines, None)
        if line is None:
            if prompts:
                print(file=sys.stderr)  # what comes next is no message
            return
        yield line


def _answer(talk: Any, message: str, config: Any, *, goes_on: bool) -> None:
    """Print an answer as it is written; a person at a terminal goes on after a message that cannot be answered."""
    try:
        for piece in talk.answer(message, config):
            print(piece.replace("\n", " "), end="", flush=True)
        print(flush=True)
    except InputError as error:
        if not goes_on:
            raise
        print(error, file=sys.stderr)
