"""``textpipe export``: a trained model as a folder that `transformers` loads."""

from __future__ import annotations

from pathlib import Path

import typer

from textpipe.errors import ConfigError


def command(
    run: Path = typer.Argument(help="A run that textpipe train wrote, or one of its checkpoints."),
    *,
    to: Path = typer.Option(..., "--to", "-o", help="Folder to write; it must not exist."),
    best: bool = typer.Option(False, "--best", help="The checkpoint with the lowest validation loss, not the newest."),
    average: int = typer.Option(1, "--average", min=1, help="The mean of the weights of so many newest checkpoints."),
    dtype: str = typer.Option("float32", "--dtype", help="Type of the weights: float32, bfloat16 or float16."),
    shard_gb: float = typer.Option(5.0, "--shard-gb", help="Above so many gigabytes, weights go to several files."),
) -> None:
    """Write a trained model as a folder that transformers loads offline, tokenizer and all.

    \b
    textpipe export run --to mymodel
    textpipe export run --to mymodel --average 5 --dtype bfloat16

    A gpt becomes a GPT2LMHeadModel, OpenAIGPTLMHeadModel or LlamaForCausalLM, a bert a BertForMaskedLM (with
    next_sentence a BertForPreTraining, with labels the class of its head), a transformer a MarianMTModel (layout post),
    PegasusForConditionalGeneration or M2M100ForConditionalGeneration (pre). A recurrent model has no class there:
    textpipe reads its folder. textpipe generate and textpipe train --init-from take all of them.
    """
    from textpipe.errors import require
    from textpipe.training.checkpoints import find_checkpoint

    find_checkpoint(run, best=best)
    require("torch", extra="train")  # what can be refused without it has been
    from textpipe.training.exporting import export_run

    if best and average > 1:
        raise ConfigError("--best with --average", hint="the mean is of the newest checkpoints: leave one of them out")
    if shard_gb <= 0:
        raise ConfigError(f"{shard_gb} GB", where="--shard-gb", allowed="more than 0")
    facts = export_run(run, to, best=best, average=average, dtype=dtype, shard_bytes=int(shard_gb * 1e9))
    for name, value in facts.items():
        print(f"{name}\t{value}")
