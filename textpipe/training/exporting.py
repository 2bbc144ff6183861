"""A run as a folder that `transformers` loads.

What enters: a run, or one of its checkpoints. What leaves: the folder, with the weights of one checkpoint or the mean
of several, and a card that says what the model is and how to use it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from textpipe.data.pairs import PairFrame
from textpipe.interchange.exporting import export_model
from textpipe.interchange.weight_files import SHARD_BYTES
from textpipe.training.checkpoints import Checkpoint, find_checkpoint
from textpipe.training.loading import load_model, newest_checkpoints
from textpipe.training.model_card import model_card

__all__ = ["export_run"]


def export_run(
    run: str | os.PathLike[str],
    to: str | os.PathLike[str],
    *,
    best: bool = False,
    average: int = 1,
    dtype: str = "float32",
    shard_bytes: int = SHARD_BYTES,
) -> dict[str, Any]:
    """Write a run's newest (or best) checkpoint, or the mean of its newest ones; returns facts to print.

    Parameters are those of :func:`~textpipe.interchange.exporting.export_model`, and

    average : so many of the newest checkpoints (Vaswani et al. 2017 take five).

    Raises
    ------
    InputError
        when the run has fewer checkpoints, or no model of transformers computes what this one does.
    StateError
        when the folder exists.
    """
    source = find_checkpoint(run, best=best)
    model, tokenizer, facts = load_model(source if average == 1 else run, average=average)
    taken = newest_checkpoints(run, average) if average > 1 else [source]
    newest = Checkpoint.open(source)
    card = model_card(
        newest.config,
        name=Path(to).name,
        step=newest.step,
        num_parameters=sum(weight.numel() for weight in model.parameters()),
        scores={} if average > 1 else newest.scores,  # those of a mean are not known
        exported=True,
    )
    identity = newest.config.data
    folder = export_model(
        model,
        tokenizer,
        to,
        eos_id=facts["eos_id"],
        ends=facts["borders"].get("ends", ()),
        at_limit=facts["borders"].get("at_limit", ()),
        frame=PairFrame(identity.begin_id, identity.before_source, identity.before_target),
        source_tokenizer=facts["borders"].get("source_tokenizer"),
        dtype=dtype,
        shard_bytes=shard_bytes,
        card=card,
    )
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return {"folder": folder, "weights": " + ".join(path.name for path in taken), "bytes": f"{size:,}"}
